"""Epochs as text: a line each for logs, a table that grows for a terminal."""

from collections.abc import Mapping, Sequence
from math import isnan

_SHORT = {
    "epoch": ("epoch", "3.0f"),
    "loss": ("loss", ".4f"),
    "accuracy": ("accuracy", ".4f"),
    "validation_top_1": ("validation top-1", ".4f"),
    "validation_log_loss": ("log loss", ".4f"),
    "learning_rate": ("rate", ".1e"),
    "photos_per_second": ("photos/s", ".0f"),
}
_WIDTHS = {
    "epoch": 7,
    "loss": 8,
    "accuracy": 8,
    "validation_top_1": 8,
    "validation_log_loss": 8,
    "learning_rate": 7,
    "photos_per_second": 8,
    "time_left": 9,
}
"""With two blanks between them 77 columns; a terminal has 80. "validation" stands above two."""

_HEADINGS = ("epoch", "loss", "accuracy", "top-1", "log loss", "rate", "photos/s", "time left")


def epoch_line(values: Mapping[str, float]) -> str:
    """Writes an epoch so that lines below each other make a table; what is NaN is left out.

    Example:
        >>> epoch_line({"epoch": 2.0, "loss": 0.25, "validation_top_1": float("nan")})
        'epoch   2  loss 0.2500'
    """
    parts = [
        f"{_SHORT[name][0]} {value:{_SHORT[name][1]}}"
        for name, value in values.items()
        if not isnan(value)
    ]
    return "  ".join(parts)


class EpochTable:
    """The epochs of one stage; the headings come with its first one."""

    def __init__(self, stage: str, *, begun: float) -> None:
        self._stage = stage
        self._begun = begun
        self._first: float | None = None

    def add(self, values: Mapping[str, float], total: int, *, now: float) -> list[str]:
        """Returns the lines to print for an epoch.

        Args:
            values: see `headstart.training.watch.COLUMNS`; NaN for what was not measured.
            total: epochs of the stage, at most.
            now: the time in seconds, by the clock of `begun`.
        """
        lines = []
        epoch = values["epoch"]
        if self._first is None:
            # A training that goes on where it was killed does not begin with epoch 1.
            self._first = epoch
            lines = [f"{self._stage:<29}{'validation':^18}".rstrip(), _aligned(_HEADINGS)]
        seconds = (now - self._begun) / (epoch - self._first + 1)
        cells = [f"{epoch:.0f}/{total}"]
        for name in list(_WIDTHS)[1:-1]:
            value = values[name]
            cells.append("-" if isnan(value) else f"{value:{_SHORT[name][1]}}")
        cells.append(duration(seconds * (total - epoch)))
        return [*lines, _aligned(cells)]


def duration(seconds: float) -> str:
    """Writes a time as a clock shows it.

    Example:
        >>> duration(75.4), duration(3725)
        ('1:15', '1:02:05')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _aligned(cells: Sequence[str]) -> str:
    return "  ".join(f"{c:>{w}}" for c, w in zip(cells, _WIDTHS.values(), strict=True))
