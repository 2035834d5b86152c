"""How good a head on features is, in cross-validation, and what scores guess of it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evaluation.comparison import mcnemar
from headstart.evaluation.intervals import Interval, wilson
from headstart.files import atomic_file
from headstart.heads.linear import cross_validate
from headstart.selection.transferability import h_score, log_me

PROBE_VERSION = 1
"""Part of every kept probe's name; raised when the same features give another one."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Labelled photos to choose with; test photos are not among them.

    Attributes:
        positions: int64 (N,), in the index that `extract` reads; every beginning of them has each
            class in its share.
        labels: int32 (N,).
        groups: int32 (N,); near-duplicates share a number and a fold.
        digests: N, of the files.
        class_count: K.
        seed: of the folds.
    """

    positions: NDArray[np.int64]
    labels: NDArray[np.int32]
    groups: NDArray[np.int32]
    digests: Sequence[str]
    class_count: int
    seed: int

    def __len__(self) -> int:
        return len(self.positions)

    def first(self, count: int) -> "Problem":
        """Returns the first so many photos."""
        return Problem(
            self.positions[:count],
            self.labels[:count],
            self.groups[:count],
            self.digests[:count],
            self.class_count,
            self.seed,
        )

    @property
    def digest(self) -> str:
        """Names photos, labels, groups and folds."""
        named = np.unique(self.groups, return_inverse=True)[1]
        values = [PROBE_VERSION, self.seed, self.class_count, list(self.digests)]
        text = json.dumps([*values, self.labels.tolist(), named.tolist()])
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Probe:
    """A linear probe in cross-validation.

    Attributes:
        photos: N.
        top_1: share of them that a head which had not seen them named right.
        interval: 95 %, by Wilson's formula.
        hits: bool (N,), which ones.
        log_me: see `transferability.log_me`; None where it was not asked for.
        h_score: see `transferability.h_score`; likewise.
    """

    photos: int
    top_1: float
    interval: Interval
    hits: NDArray[np.bool_]
    log_me: float | None = None
    h_score: float | None = None

    def p_value(self, other: "Probe") -> float:
        """McNemar's p-value against a probe of the same photos."""
        return mcnemar(int((self.hits & ~other.hits).sum()), int((~self.hits & other.hits).sum()))


def make_probe(features: NDArray[np.float32], problem: Problem, *, scored: int) -> Probe:
    """Fits heads on the features of a problem's photos, each on some and asked of the others.

    Args:
        features: float32 (N, D).
        problem: N photos.
        scored: how many of the first photos to compute the scores on; 0 for no scores.
    """
    answers = cross_validate(
        features,
        problem.labels,
        problem.groups,
        class_count=problem.class_count,
        c=None,
        seed=problem.seed,
    )
    hits = answers.argmax(axis=1) == problem.labels
    return Probe(
        photos=len(problem),
        top_1=float(hits.mean()),
        interval=wilson(int(hits.sum()), len(hits)),
        hits=hits,
        log_me=log_me(features[:scored], problem.labels[:scored]) if scored else None,
        h_score=h_score(features[:scored], problem.labels[:scored]) if scored else None,
    )


@dataclass(frozen=True)
class Notes:
    """Probes that were made before, a file each.

    Attributes:
        folder: where they are kept.
        engine: what the features are computed by, which decides them too.
    """

    folder: Path
    engine: str

    def read(self, candidate: str, problem: Problem, *, scored: int) -> Probe | None:
        """Finds what is known of a candidate, named by its digest, on a problem's photos."""
        try:
            values = json.loads(self._file(candidate, problem, scored).read_text("utf-8"))
            values["interval"] = Interval(**values["interval"])
            bits = np.frombuffer(bytes.fromhex(values.pop("hits")), np.uint8)
            hits = np.unpackbits(bits)[: len(problem)].astype(bool)
            return Probe(**values, hits=hits)
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, candidate: str, problem: Problem, probe: Probe, *, scored: int) -> None:
        """Keeps a probe."""
        values: dict[str, Any] = asdict(probe) | {"hits": np.packbits(probe.hits).tobytes().hex()}
        with atomic_file(self._file(candidate, problem, scored)) as temporary:
            temporary.write_text(json.dumps(values), "utf-8")

    def _file(self, candidate: str, problem: Problem, scored: int) -> Path:
        key = f"{candidate} {self.engine} {problem.digest} {scored}"
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
