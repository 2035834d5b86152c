"""The proof of the join: the joined model against the cached path, on real photos."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import EngineError

TIE = 0.02
"""Of two classes whose probabilities are nearer than this, rounding may name either."""


@dataclass(frozen=True, slots=True)
class JoinAgreement:
    """How near two sets of probabilities are.

    Attributes:
        photos: compared.
        max_difference: largest difference of any probability.
        share_within: share of probabilities that differ by at most 0.05.
        same_top_1: share of photos with the same likeliest class.
        same_or_tied: the same, where a class that leads by less than `TIE` counts as no other.
    """

    photos: int
    max_difference: float
    share_within: float
    same_top_1: float
    same_or_tied: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values for the manifest."""
        return asdict(self)

    def is_good_enough(self, precision: str) -> bool:
        """Applies the bar of the precision."""
        if precision == "float32":
            return self.max_difference <= 1e-3
        return self.share_within >= 0.99 and self.same_or_tied >= 0.995


def compare_join(
    joined: NDArray[np.float32], cached: NDArray[np.float32], *, precision: str
) -> JoinAgreement:
    """Compares the joined model's probabilities with those of the head on cached features.

    Args:
        joined: (N, K).
        cached: (N, K), of the same photos.
        precision: that both were computed in.

    Raises:
        EngineError: when they are further apart than the precision explains.
    """
    difference = np.abs(joined - cached)
    chosen = joined.argmax(axis=1)
    lead = cached.max(axis=1) - cached[np.arange(len(cached)), chosen]
    found = JoinAgreement(
        photos=len(joined),
        max_difference=float(difference.max(initial=0.0)),
        share_within=float((difference <= 0.05).mean()),
        same_top_1=float((chosen == cached.argmax(axis=1)).mean()),
        same_or_tied=float((lead < TIE).mean()),
    )
    if not found.is_good_enough(precision):
        raise EngineError(
            f"The joined model and the cached features disagree on {found.photos} test photos "
            f"({precision}: largest difference {found.max_difference:.2g}, same class on "
            f"{found.same_or_tied:.1%}). Nothing was kept. "
            "Try --precision float32 or --engine keras."
        )
    return found
