"""Which learning rate to fine-tune with: a range test on the training photos."""

from pathlib import Path
from typing import Any

from headstart.artifact.run import Run
from headstart.errors import ArgumentError
from headstart.files import atomic_file
from headstart.progress import Progress
from headstart.recipe import TrainRecipe, make_recipe, read_values
from headstart.report.range_plot import draw_range_test
from headstart.training.range_test import RangeTest
from headstart.workflow.course import Course, Plan
from headstart.workflow.fitting import fit_probe, read_features
from headstart.workflow.intake import Photos, photos_name
from headstart.workflow.prepare import prepare
from headstart.workflow.stages import plan_of, refuse_foreign_code
from headstart.workflow.tools import tools

DEFAULT_PLAN = "lp_ft"


def find_lr(
    source: Run | Photos,
    *,
    plot: str | Path | None = None,
    trust_code: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> RangeTest:
    """Trains for a few steps with a growing learning rate and says which one to begin with.

    What is tested is the first stage that unfreezes something, starting from the linear probe.
    Validation and test photos have no part in it, and nothing is kept.

    Args:
        source: photos, or a run folder whose recipe is taken.
        plot: SVG file to draw the losses into; None for none.
        trust_code: run code that a run folder's recipe names.
        progress: told how far it is.
        **options: the fields of `headstart.recipe.TrainRecipe`; the plan is `lp_ft` unless one is
            named.

    Returns:
        Rates, losses and a suggestion; see `headstart.training.range_test.RangeTest`.

    Raises:
        ArgumentError: before any photo is read, when an option does not fit.

    Example:
        >>> import headstart
        >>> found = headstart.find_lr(PHOTOS, backbone="Starter", fine_tune="last:1")
        >>> 1e-8 < found.suggestion < 1
        True
    """
    from headstart.training.range_test import range_test

    recipe, photos = _recipe(source, options, trust_code=trust_code)
    stages, notes = plan_of(recipe)
    number = next((n for n, each in enumerate(stages) if each.trainable != "head"), None)
    if number is None:
        raise ArgumentError(
            "Nothing is unfrozen, so there is no learning rate to find. Name what is to be "
            "unfrozen: --plan lp_ft --fine-tune last:5."
        )
    with tools(recipe.engine, progress) as given:
        prepared = prepare(recipe, (stages, notes), photos=photos, given=given)
        setup, frozen = prepared.setup, prepared.frozen
        probe = fit_probe(setup, frozen, read_features(setup, frozen))
        # From that stage on: without a stage of the head before it, the head is the probe's.
        plan = Plan(stages[number:], prepared.plan.cuts[number:])
        course = Course.begin(setup, probe, plan, frozen)
        inputs, train, surroundings = course.ready(0, bar=None, given=given)
        model = course.suffix(inputs, stages[number])("float32")
        found = range_test(model, train, stages[number], surroundings)
    if plot is not None:
        with atomic_file(Path(plot)) as temporary:
            temporary.write_text(draw_range_test(found), "utf-8")
    return found


def _recipe(
    source: Run | Photos, options: dict[str, Any], *, trust_code: bool
) -> tuple[TrainRecipe, Photos | None]:
    folder = source.folder if isinstance(source, Run) else source
    if isinstance(folder, str | Path) and Path(folder, "manifest.json").is_file():
        file = Path(folder, "recipe.toml")
        values = read_values(file)
        if not trust_code:
            refuse_foreign_code(make_recipe(values), file)
        photos: Photos | None = None
    else:
        assert not isinstance(source, Run)
        values, photos = {"photos": photos_name(source)}, source
    merged = values | options
    if merged.get("plan", "linear_probe") == "linear_probe" and not merged.get("stages"):
        merged["plan"] = DEFAULT_PLAN
    return make_recipe(merged), photos
