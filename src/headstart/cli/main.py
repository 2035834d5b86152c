"""`headstart`: every command is one call of the workflow; `--help` loads no Keras."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli import trust
from headstart.cli.adopt import adopt
from headstart.cli.choose import choose
from headstart.cli.classify import classify
from headstart.cli.draw import draw, summary
from headstart.cli.export import export
from headstart.cli.inspect import inspect
from headstart.cli.learning_rate import find_lr
from headstart.cli.models import models
from headstart.cli.options import (
    BackboneName,
    BatchSize,
    Coverage,
    Engine,
    ImageSize,
    Json,
    LabelFromName,
    Optimizer,
    PhotosArgument,
    Ray,
    RayCommand,
    RecipeFile,
    RunArgument,
    Seed,
    Shards,
    TrustCode,
    Weights,
)
from headstart.cli.output import emit_json, progress_bars, reported
from headstart.cli.predict import predict
from headstart.cli.serve import serve
from headstart.cli.tune import tune

app = typer.Typer(
    name="headstart",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def prepare() -> None:
    """Transfer learning for Keras: from a folder of photos to a classifier that you can trust."""
    # TensorFlow's remarks on processors and rounding are not for whoever trains a classifier.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@app.command()
def check(
    photos: PhotosArgument, label_from_name: LabelFromName = None, as_json: Json = False
) -> None:
    """Check photos: what is there, what is wrong with it. Exit 1 when something is."""
    from headstart.cli.tables import print_check
    from headstart.workflow.check import check as check_photos

    with reported(), progress_bars() as progress:
        report = check_photos(photos, label_from_name=label_from_name, progress=progress)
    if as_json:
        emit_json(report.to_dict())
    else:
        print_check(report)
    raise typer.Exit(1 if report.findings else 0)


@app.command(cls=RayCommand)
def train(
    photos: Annotated[
        str | None,
        typer.Argument(metavar="PHOTOS", help="Folder of class folders, zip, tar or CSV."),
    ] = None,
    recipe: RecipeFile = None,
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="Run folder to write; must not exist.")
    ] = None,
    backbone: BackboneName = None,
    cut: Annotated[
        str | None,
        typer.Option(help="Of a model file: auto, -1 or the layer after which. [default: auto]"),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            help="Of a model file: 0..1, -1..1, caffe, torch, none or probe. [default: as its "
            "graph says]"
        ),
    ] = None,
    weights: Weights = None,
    test: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Photos to test on, when they lie apart.")
    ] = None,
    label_from_name: LabelFromName = None,
    fixes: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="CSV of corrected labels; see `headstart suspects`."),
    ] = None,
    pooling: Annotated[str | None, typer.Option(help="avg, max or flatten. [default: avg]")] = None,
    image_size: ImageSize = None,
    head: Annotated[
        str | None,
        typer.Option(help="softmax, sigmoid, mlp:256,128 or module:function. [default: softmax]"),
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="After each hidden layer of an mlp head. [default: 0]")
    ] = None,
    class_weight: Annotated[
        str | None, typer.Option(help="none or balanced. [default: none]")
    ] = None,
    plan: Annotated[
        str | None,
        typer.Option(
            help="linear_probe, lp_ft, freeze_then_fine_tune, gradual_unfreeze or scratch. "
            "[default: linear_probe]"
        ),
    ] = None,
    fine_tune: Annotated[
        str | None,
        typer.Option(help="What a plan unfreezes: last:20, from:LAYER or all. [default: its own]"),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(help="Any of Keras', focal, or module:function. [default: cross-entropy]"),
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Fraction for validation. [default: 0.15]")
    ] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Fraction held out for the test. [default: 0.15]")
    ] = None,
    train_per_class: Annotated[
        int | None, typer.Option(help="Exact number of training photos a class.")
    ] = None,
    validation_per_class: Annotated[
        int | None, typer.Option(help="Exact number of validation photos a class.")
    ] = None,
    test_per_class: Annotated[
        int | None, typer.Option(help="Exact number of test photos a class.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="At most, of each stage. [default: the plan's own]")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="At its height. [default: the plan's own]")
    ] = None,
    batch_size: BatchSize = None,
    optimizer: Optimizer = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="constant, inverse_time, cosine or one_cycle. [default: the plan's own]"),
    ] = None,
    depth_factor: Annotated[
        float | None,
        typer.Option(help="Each block learns so many times as fast as the one above. [default: 1]"),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(help="none, standard, or such as flip,crop:0.7,colour:0.2. [default: none]"),
    ] = None,
    views: Annotated[
        int | None, typer.Option(help="Varied views of each photo that are kept. [default: 1]")
    ] = None,
    batch_norm: Annotated[
        str | None, typer.Option(help="freeze or adapt, in unfrozen layers. [default: freeze]")
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(help="Momentum of a moving average of the weights. [default: 0]"),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Epochs without a better one. [default: the plan's own]")
    ] = None,
    training_precision: Annotated[
        str | None, typer.Option(help="auto, float32 or bfloat16. [default: auto]")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write TensorBoard's logs there.")
    ] = None,
    ray: Ray = None,
    shards: Shards = None,
    trust_code: TrustCode = False,
    seed: Seed = None,
    engine: Annotated[
        str | None, typer.Option(help="auto, openvino or keras. [default: auto]")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, float32, bfloat16 or float16. [default: auto]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a classifier and write a run folder."""
    settings = {
        name: value
        for name, value in locals().items()
        if name not in ("recipe", "out", "tensorboard", "ray", "shards", "trust_code", "as_json")
        and value is not None
    }
    from headstart.cli.tables import print_run
    from headstart.workflow.tools import RayPlace
    from headstart.workflow.train import train_from

    with reported(), progress_bars() as progress:
        run = train_from(
            recipe,
            settings,
            out=out,
            logs=tensorboard,
            trust_code=trust_code,
            ray=RayPlace.named(ray, shards),
            progress=progress,
        )
    if as_json:
        emit_json({"run": str(run.folder), "metrics": run.manifest.metrics})
    else:
        print_run(run)


@app.command()
def evaluate(
    run: RunArgument,
    photos: Annotated[
        str | None,
        typer.Argument(metavar="[PHOTOS]", help="Labelled photos; else the run's own test split."),
    ] = None,
    label_from_name: LabelFromName = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a row a photo.")] = None,
    coverage: Coverage = 0.95,
    engine: Engine = "auto",
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16 or float16. [default: the run's]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a run on labelled photos."""
    from headstart.cli.tables import print_evaluation
    from headstart.workflow.use import evaluate as evaluate_run

    with reported(), progress_bars() as progress:
        found = evaluate_run(
            run,
            photos,
            label_from_name=label_from_name,
            coverage=coverage,
            engine=engine,
            precision=precision,
            predictions_csv=csv,
            progress=progress,
        )
    if as_json:
        emit_json(found.to_dict())
    else:
        print_evaluation(found)


app.command(cls=RayCommand)(predict)


@app.command()
def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete all of it.")] = False,
    as_json: Json = False,
) -> None:
    """Show what is kept to save work, or clear it."""
    from headstart.cli.tables import print_cache
    from headstart.data.store import CachePlace, clear_cache, usage

    with reported():
        place = CachePlace.default()
        freed = clear_cache(place) if clear else None
        rows = usage(place)
    if as_json:
        stores = [row.to_dict() for row in rows]
        emit_json({"folder": str(place.folder), "freed_bytes": freed, "stores": stores})
    else:
        print_cache(place, rows, freed)


@app.command()
def demo(
    out: Annotated[
        Path, typer.Option(metavar="RUN", help="Run folder to write; must not exist.")
    ] = Path("demo_run"),
    seed: Annotated[int, typer.Option(help="Of everything drawn.")] = 0,
) -> None:
    """Show what transfer learning is for, on handwritten digits that come along."""
    from headstart.cli.tables import print_demo
    from headstart.workflow.demo import demo as run_demo

    with reported(), progress_bars() as progress:
        found = run_demo(out, seed=seed, progress=progress)
    print_demo(found)


app.command()(models)
app.command(cls=RayCommand)(choose)
app.command(cls=RayCommand)(tune)
app.command()(classify)
app.command()(find_lr)
app.command()(inspect)
app.command()(adopt)
app.command()(export)
app.command()(draw)
app.command()(summary)
app.command()(serve)
app.command()(trust.compare)
app.command()(trust.report)
app.command()(trust.suspects)
app.command("learning-curve")(trust.learning_curve)


def main(arguments: list[str] | None = None) -> Any:
    """Runs the command line; for `python -m headstart`."""
    return app(arguments if arguments is not None else sys.argv[1:])
