"""How near an export's answers are to those of `model.keras`, and whether that is near enough."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import EngineError
from headstart.evaluation.intervals import Interval, wilson

TOLERANCE = 1e-4
"""Of any probability, in float32."""

LOST_TOP_1 = 0.01
"""What float16 and int8 may cost of the share of photos that are classified right."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Two sets of answers to the same photos.

    Attributes:
        photos: how many.
        max_difference: of any probability.
        same_top_1: share of the photos with the same likeliest class.
        top_1: share that the export classifies right, in [0, 1].
        top_1_interval: its 95 % Wilson interval.
        reference_top_1: the same of `model.keras`.
        reference_top_1_interval: likewise.
    """

    photos: int
    max_difference: float
    same_top_1: float
    top_1: float
    top_1_interval: Interval
    reference_top_1: float
    reference_top_1_interval: Interval

    @staticmethod
    def between(
        found: NDArray[np.float32], reference: NDArray[np.float32], labels: NDArray[np.integer[Any]]
    ) -> "Parity":
        """Compares probabilities (N, K) with those of the reference; labels are (N,).

        Raises:
            EngineError: when the answers have another shape.

        Example:
            >>> rows = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)
            >>> Parity.between(rows, rows, np.array([0, 0])).top_1
            0.5
        """
        if found.shape != reference.shape:
            raise EngineError(
                f"The exported file answers with shape {found.shape}, model.keras with "
                f"{reference.shape}. It was not kept."
            )
        guess, expected = found.argmax(axis=1), reference.argmax(axis=1)
        right, expected_right = int((guess == labels).sum()), int((expected == labels).sum())
        count = len(labels)
        return Parity(
            photos=count,
            max_difference=float(np.abs(found - reference).max()),
            same_top_1=float((guess == expected).mean()),
            top_1=right / count,
            top_1_interval=wilson(right, count),
            reference_top_1=expected_right / count,
            reference_top_1_interval=wilson(expected_right, count),
        )

    def check(self, precision: str) -> None:
        """Refuses an export that is not near enough.

        Args:
            precision: "float32" must agree to `TOLERANCE`, others may cost `LOST_TOP_1`.

        Raises:
            EngineError: with what was measured.
        """
        # Written so that answers that are no numbers fail.
        if precision == "float32" and not self.max_difference <= TOLERANCE:
            raise EngineError(
                f"The exported file does not agree with model.keras: probabilities differ by up to "
                f"{self.max_difference:.2g} on {self.photos} photos, where {TOLERANCE:g} is "
                "allowed. It was not kept. Choose another format."
            )
        if not np.isfinite(self.max_difference) or self.lost_top_1 > LOST_TOP_1 + 1e-9:
            raise EngineError(
                f"The exported file in {precision} is right on {self.top_1:.4f} of {self.photos} "
                f"photos, model.keras on {self.reference_top_1:.4f}; {LOST_TOP_1:g} less is "
                "allowed. It was not kept. Take --precision float32."
            )

    @property
    def lost_top_1(self) -> float:
        """What the export costs of top-1; negative where it is right more often."""
        return self.reference_top_1 - self.top_1

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values."""
        return asdict(self)
