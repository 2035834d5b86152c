"""The search for settings: heads on kept features first, end to end for the best few.

Optuna draws (TPE), stops what falls behind (the median rule), and keeps every trial in one SQLite
file, so that a search that was killed goes on. What trains is an argument: it is handed settings
and answers with a score on photos that nothing was learnt from, never those of the test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from headstart.progress import Progress
from headstart.selection.space import (
    PLAIN,
    VIEWS,
    Settings,
    first_plans,
    head_settings,
    plan_settings,
)
from headstart.selection.study import Study, Train, Trial, loss_of

FEATURES, END_TO_END = "features", "end to end"


@dataclass(frozen=True)
class Tuning:
    """What the search found.

    Attributes:
        trials: all, the best first; pruned and failed ones last.
        plain: the linear probe with default settings, for comparison.
        folder: holds `study.db`, `recipe.toml` and `trials.csv`.
        new_trials: how many of them were made now.
        seconds: this call took.
    """

    trials: tuple[Trial, ...]
    plain: Trial
    folder: Path
    new_trials: int
    seconds: float

    @property
    def best(self) -> Trial:
        """The trial with the lowest log loss."""
        return self.trials[0]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return {
            "best": self.best.to_dict(),
            "plain": self.plain.to_dict(),
            "recipe": str(self.folder / "recipe.toml"),
            "new_trials": self.new_trials,
            "seconds": round(self.seconds, 2),
            "trials": [each.to_dict() for each in self.trials],
        }


def tune(
    folder: Path,
    train: Train,
    *,
    trials: int,
    end_to_end: int,
    blocks: Sequence[str],
    epochs: int,
    key: str,
    seed: int,
    views: Sequence[int] = VIEWS,
    progress: Progress,
) -> Tuning:
    """Searches, or goes on with a search.

    Args:
        folder: keeps the search.
        train: trains and scores.
        trials: of heads on kept features, in all calls together.
        end_to_end: of plans with the best heads; 0 for none.
        blocks: cut points of the backbone, bottom to top.
        epochs: of each stage that fine-tunes.
        key: names photos, split and network; another one may not go on with this search.
        seed: of the draws.
        views: see `headstart.selection.space.head_settings`.
        progress: told about every trial.

    Raises:
        ArgumentError: when the folder holds the search of another key.
        MissingPackageError: when Optuna is not installed.
    """
    begun = monotonic()
    study = Study.open(folder, FEATURES, key=f"{key} {list(views)}", seed=seed, first=[PLAIN])
    made = study.go_on(trials, partial(head_settings, views=views), train, progress)
    found = study.results()
    plain = next(each for each in found if each.settings == {"head": PLAIN["head"]})
    if end_to_end:
        heads = study.finalists(found)
        plans = Study.open(folder, END_TO_END, key=key, seed=seed, first=first_plans(len(heads)))

        def draw(suggest: Any) -> Settings:
            return plan_settings(suggest, heads, blocks, epochs=epochs)

        made += plans.go_on(end_to_end, draw, train, progress)
        found += plans.results()
    ranked = sorted(found, key=lambda each: (each.state != "done", loss_of(each)))
    return Tuning(tuple(ranked), plain, folder, made, monotonic() - begun)
