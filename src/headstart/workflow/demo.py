"""`headstart demo`: what transfer learning is for, on photos and a backbone that come along."""

from dataclasses import dataclass
from pathlib import Path

from headstart.artifact.run import Run
from headstart.data.digits import write_digit_photos
from headstart.data.store import CachePlace
from headstart.errors import ArgumentError
from headstart.prediction import Prediction
from headstart.progress import Progress, Silent
from headstart.report.content import Content
from headstart.report.page import write_report
from headstart.workflow.starter_plot import study_plot
from headstart.workflow.starter_study import METHODS, StudyRow, study, study_table
from headstart.workflow.train import train
from headstart.workflow.use import predict

SIZES = (5, 10)


@dataclass(frozen=True)
class Demo:
    """What the demo made.

    Attributes:
        rows: accuracy and time of each method with 5 and with 10 digits a class.
        table: the same as text, headings first.
        run: a classifier trained on most of the digits.
        prediction: of one digit that it has not seen.
    """

    rows: tuple[StudyRow, ...]
    table: tuple[tuple[str, ...], ...]
    run: Run
    prediction: Prediction


def demo(out: str | Path, *, seed: int = 0, progress: Progress | None = None) -> Demo:
    """Compares scratch, raw pixels and the frozen starter; trains; classifies one digit.

    Args:
        out: run folder to write; must not exist.
        seed: of everything drawn.
        progress: told how far it is.

    Raises:
        ArgumentError: when `out` exists.

    Example:
        >>> headstart.workflow.demo.demo("demo_run").run.folder  # doctest: +SKIP
        PosixPath('demo_run')
    """
    if Path(out).exists():
        raise ArgumentError(f"out={str(out)!r} exists already. Choose another name.")
    listener = progress or Silent()
    photos = CachePlace.default().folder / "arrays" / "digits"
    if not photos.is_dir():
        write_digit_photos(photos)
    run = train(photos, backbone="Starter", seed=seed, out=out, progress=listener)
    digit = sorted((photos / "7").iterdir())[-1]
    (prediction,) = predict(run, digit, progress=listener).predictions
    rows = _compare(seed, listener)
    write_report(run.folder, manifest=run.manifest, content=Content(figure=study_plot(rows)))
    return Demo(rows, study_table(rows), run, prediction)


def _compare(seed: int, listener: Progress) -> tuple[StudyRow, ...]:
    done = 0
    total = len(SIZES) * len(METHODS)

    def tell(_sentence: str) -> None:
        nonlocal done
        listener.step("methods compared", done, total)
        done += 1

    rows = study(SIZES, seed, tell)
    listener.step("methods compared", total, total)
    return rows
