"""What choosing a backbone passes on: candidates, probes, rows, the choice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from headstart.evaluation.intervals import Interval


@dataclass(frozen=True, slots=True)
class Candidate:
    """A backbone with its weights at one size.

    Attributes:
        name: as tables show it, such as "MobileNetV2" or "ResNet50:none@160".
        backbone: its name in the catalogue.
        weights: "imagenet", "starter" or "none".
        image_size: side of the input in pixels.
        parameters: without the top.
        size_mb: of these parameters in float32, in megabytes.
        photos_per_second: of decoded photos on this machine.
    """

    name: str
    backbone: str
    weights: str
    image_size: int
    parameters: int
    size_mb: float
    photos_per_second: float


@dataclass(frozen=True, slots=True)
class Probe:
    """What a linear probe on a candidate's features was worth.

    Attributes:
        photos: how many were named, each by a head that had not seen it.
        top_1: the share that was named right.
        interval: of that, 95 %.
        log_loss: mean, in nats.
        log_me: see `headstart.selection.scores`.
        h_score: likewise.
        hits: for each photo whether it was named right, in the order of the photos.
    """

    photos: int
    top_1: float
    interval: Interval
    log_loss: float
    log_me: float
    h_score: float
    hits: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate and how far it came.

    Attributes:
        candidate: what was tried.
        probe: its last one; None when nothing was computed.
        left: why it went no further; empty for those that were judged on all photos.
        is_pareto: nothing is both more accurate and faster.
    """

    candidate: Candidate
    probe: Probe | None
    left: str = ""
    is_pareto: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer to "which backbone".

    Attributes:
        rows: the most accurate first, those that went not so far behind them.
        recommended: name of a candidate.
        reason: a sentence.
        agreement: Spearman's rank correlation of each cheap score with accuracy, over the
            candidates of the first round; None with fewer than three.
        photos: that were used; test photos are not among them.
        random_top_1: of the same network as the recommended with random weights, on the same
            photos; None where it was not measured.
        gain: of the pretrained weights over these: how near the photos are to what the backbone
            learnt from.
    """

    rows: tuple[Row, ...]
    recommended: str
    reason: str
    agreement: Mapping[str, float | None]
    photos: int
    random_top_1: float | None = None
    gain: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them; without the photo by photo hits."""
        found = asdict(self)
        for row in found["rows"]:
            if row["probe"] is not None:
                del row["probe"]["hits"]
        return found
