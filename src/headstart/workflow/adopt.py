"""`adopt`: a classifier that somebody trained elsewhere becomes a run folder."""

from pathlib import Path

import numpy as np

from headstart.artifact.manifest import FORMAT, Manifest, versions
from headstart.artifact.run import Run, load_run
from headstart.artifact.tables import write_history
from headstart.backbones.foreign import read_foreign, settle_mode, side_of
from headstart.backbones.frozen import FrozenSpec
from headstart.data.split import Split, write_split_csv
from headstart.errors import ArgumentError
from headstart.files import atomic_folder, sha256
from headstart.modelfile.answers import Answers, answers_of
from headstart.modelfile.inspection import ModelReport
from headstart.modelfile.labels import BESIDE, read_labels
from headstart.progress import Progress
from headstart.recipe import make_recipe, write_recipe
from headstart.report.page import write_report
from headstart.workflow.foreign import origin
from headstart.workflow.tools import Tools, tools


def adopt(
    file: str | Path,
    *,
    out: str | Path,
    labels: str | Path | None = None,
    preprocess: str | None = None,
    image_size: int | None = None,
    engine: str = "auto",
    progress: Progress | None = None,
) -> Run:
    """Turns a classifier of any Keras into a run folder, so that every other command works on it.

    Args:
        file: `.keras`, `.h5` or `.hdf5` of a softmax classifier, or of one sigmoid unit.
        out: the run folder to write; must not exist.
        labels: file with a class name a line, in the order of the outputs; for one sigmoid unit
            first the class of 0, then that of 1. Left out, the `labels.txt` beside the model.
        preprocess: what the model expects: `0..1`, `-1..1`, `caffe`, `torch`, or `none` for 0..255.
            Left out, its own graph has to say.
        image_size: side of the photos, for a model that leaves it open.
        engine: "auto", "openvino" or "keras": which one `evaluate` and `predict` will use.
        progress: told what is found.

    Returns:
        The run folder, read back; it has no metrics until it is evaluated.

    Raises:
        ModelFileError: when the file is damaged or dangerous.
        ArgumentError: when class names or preprocessing are missing, or it is no classifier.

    Example:
        >>> import headstart
        >>> from pathlib import Path
        >>> _ = Path("names.txt").write_text("cats dogs".replace(" ", chr(10)))
        >>> run = headstart.adopt(f"{RUN}/model.keras", labels="names.txt", out="runs/adopted")
        >>> headstart.evaluate(run, PHOTOS).count
        60
    """
    report, graph = read_foreign(file)
    answers = answers_of(graph, report.compiled)
    names = _class_names(report, labels, answers)
    path = report.file
    assert report.pixels is not None
    spec = FrozenSpec(
        backbone=path.stem,
        image_size=side_of(graph, path, image_size),
        pooling="avg",
        weights="model",
        weights_path=str(path.resolve()),
        weights_digest=report.sha256,
        seed=0,
        cut=graph.outputs[0],
        preprocessing=settle_mode(preprocess, report.pixels, graph=graph, file=path),
    )
    with tools(engine, progress) as given, atomic_folder(Path(out)) as folder:
        for repair in report.repairs:
            given.progress.say(f"Repaired in {path.name}: {repair.text}")
        _write(folder, spec, answers, names, given)
    return load_run(out)


def _write(
    folder: Path, spec: FrozenSpec, answers: Answers, names: tuple[str, ...], given: Tools
) -> None:
    model = given.caller.call(
        "headstart.artifact.adoption:save_adopted",
        spec=spec.as_json(),
        activation=answers.activation if answers.is_missing else None,
        file=str(folder / "model.keras"),
    ).result()
    nothing = np.empty(0, np.int64)
    split = Split(nothing, nothing, nothing, nothing)
    labels = np.empty(0, np.int32)
    write_split_csv(folder / "split.csv", split, files=(), labels=labels, class_names=names)
    write_history(folder / "history.csv", columns=("epoch",), rows=())
    recipe = {"photos": "", "backbone": str(spec.weights_path), "preprocess": spec.preprocessing}
    write_recipe(make_recipe(recipe), folder / "recipe.toml")
    manifest = Manifest(
        format=FORMAT,
        class_names=names,
        backbone={
            "name": spec.backbone,
            "weights": spec.weights,
            "weights_sha256": spec.weights_digest,
            "pooling": "its own",
            **origin(spec),
            "licence": "that of the model file",
            "paper": "",
            **model,
        },
        image_size=spec.image_size,
        head={"head": answers.activation, "adopted": True},
        engine=given.engine,
        precision="float32",
        seed=0,
        temperature=1.0,
        photos={"train": 0, "validation": 0, "test": 0, "unused": 0, "set_aside": 0},
        metrics=None,
        agreement=None,
        versions=versions(),
        digests={path.name: sha256(path) for path in sorted(folder.iterdir())},
    )
    manifest.write(folder / "manifest.json")
    write_report(folder / "report.html", manifest=manifest)


def _class_names(
    report: ModelReport, labels: str | Path | None, answers: Answers
) -> tuple[str, ...]:
    count = answers.class_count
    names = report.class_names if labels is None else read_labels(labels)
    if names is None:
        order = "the class of 0, then that of 1" if answers.activation == "sigmoid" else "in order"
        raise ArgumentError(
            f"labels is missing: {report.file.name} has {count} classes without names, and no "
            f"{BESIDE} lies beside it. Write {count} names into a file, one a line ({order}): "
            "--labels FILE."
        )
    if len(names) != count:
        place = str(labels) if labels is not None else BESIDE
        raise ArgumentError(
            f"labels={place!r} holds {len(names)} names; {report.file.name} has {count} classes."
        )
    return names
