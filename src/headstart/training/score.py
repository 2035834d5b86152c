"""How good an epoch was, on photos that training does not see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COLLAPSE_SHARE = 0.999


@dataclass(frozen=True, slots=True)
class Score:
    """A classifier on the validation photos.

    Attributes:
        top_1: share named right, in [0, 1].
        log_loss: mean negative natural logarithm of the true class' probability.
    """

    top_1: float
    log_loss: float

    def beats(self, other: "Score | None") -> bool:
        """Tells whether this names more photos right, or as many with a lower log loss.

        Example:
            >>> Score(0.9, 0.3).beats(Score(0.9, 0.4)), Score(0.8, 0.1).beats(Score(0.9, 0.4))
            (True, False)
        """
        return other is None or (self.top_1, -self.log_loss) > (other.top_1, -other.log_loss)


def score(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> Score:
    """Scores probabilities (N, K) against labels (N,).

    Example:
        >>> score(np.float32([[0.5, 0.5], [0.0, 1.0]]), np.int32([0, 1])).top_1
        1.0
    """
    p = np.asarray(probabilities, np.float64)
    true = np.maximum(p[np.arange(len(labels)), labels], 1e-12)
    return Score(float((p.argmax(axis=1) == labels).mean()), float(-np.log(true).mean()))


def has_collapsed(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> bool:
    """Tells whether one class is named for all photos though they are of several.

    Example:
        >>> has_collapsed(np.float32([[0.9, 0.1]] * 20), np.int32([0, 1] * 10))
        True
    """
    counts = np.bincount(probabilities.argmax(axis=1), minlength=probabilities.shape[1])
    commonest = np.bincount(labels).max() / len(labels)
    return bool(counts.max() >= COLLAPSE_SHARE * len(labels) > commonest * len(labels))
