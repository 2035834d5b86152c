"""One part of a search, as Optuna keeps it in a SQLite file: draw, train, prune, go on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from headstart.errors import ArgumentError, MissingPackageError, TrainingError
from headstart.progress import Progress
from headstart.selection.space import Settings
from headstart.training.score import Score

if TYPE_CHECKING:
    import optuna

STUDY_FILE = "study.db"
FINALISTS = 3
"""Heads that are tried end to end."""

Report = Callable[[int, float], None]
"""Takes an epoch, counted from 1, and its log loss; raises when going on is not worth it."""


class Train(Protocol):
    """Whoever trains: this machine, or many."""

    def __call__(self, settings: Settings, report: Report) -> Score:
        """Trains with these fields of a recipe; returns the score on the validation photos."""


@dataclass(frozen=True)
class Trial:
    """One training of the search.

    Attributes:
        number: in its part, from 0.
        part: "features" or "end to end".
        settings: fields of a recipe.
        score: on the validation photos; None where it did not end.
        state: "done", "pruned" (it fell behind) or "failed".
        seconds: it took.
    """

    number: int
    part: str
    settings: Settings
    score: Score | None
    state: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, as `--json` prints them."""
        return asdict(self)


def loss_of(trial: Trial) -> float:
    """Returns what trials are sorted by; infinity for one that did not end."""
    return float("inf") if trial.score is None else trial.score.log_loss


def require_optuna() -> None:
    """Refuses to begin without Optuna.

    Raises:
        MissingPackageError: with the pip command.
    """
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        raise MissingPackageError("tune needs Optuna: pip install 'headstart[tune]'.")


class Study:
    """One part of a search, as Optuna keeps it."""

    def __init__(self, study: "optuna.Study", part: str) -> None:
        self._study = study
        self._part = part

    @staticmethod
    def open(folder: Path, part: str, *, key: str, seed: int, first: Sequence[Settings]) -> "Study":
        """Begins a part of a search, or opens the one that the folder holds.

        Args:
            folder: made when missing.
            part: its name.
            key: names photos, split and network.
            seed: of the draws.
            first: parameters of the trials to begin with.

        Raises:
            ArgumentError: when the folder holds the search of another key.
        """
        require_optuna()
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        folder.mkdir(parents=True, exist_ok=True)
        study = optuna.create_study(
            storage=f"sqlite:///{folder.resolve() / STUDY_FILE}",
            study_name=part,
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=2),
        )
        # The draws of a call that goes on must not repeat those of the call before.
        study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
        if study.user_attrs.get("key", key) != key:
            raise ArgumentError(
                f"out={str(folder)!r} holds a search with other photos, another backbone or "
                "another seed. Choose another folder."
            )
        if "key" not in study.user_attrs:
            study.set_user_attr("key", key)
            for params in first:
                study.enqueue_trial(params)
        return Study(study, part)

    def go_on(
        self, count: int, draw: Callable[[Any], Settings], train: Train, progress: Progress
    ) -> int:
        """Makes trials until there are so many; returns how many were made."""
        from optuna.trial import TrialState

        for killed in self._study.get_trials(states=(TrialState.RUNNING,)):
            self._study.tell(killed.number, state=TrialState.FAIL)
            self._study.enqueue_trial(killed.params)
        before = made = len(self.results())
        while made < count:
            trial = self._study.ask()
            settings = draw(trial)
            trial.set_user_attr("settings", json.dumps(settings))
            self._one(trial, settings, train)
            made += 1
            progress.step(f"trials, {self._part}", made, count)
        return made - before

    def _one(self, trial: "optuna.Trial", settings: Settings, train: Train) -> None:
        from optuna import TrialPruned
        from optuna.trial import TrialState

        def report(epoch: int, log_loss: float) -> None:
            trial.report(log_loss, epoch)
            if trial.should_prune():
                raise TrialPruned

        begun = monotonic()
        same = next((t for t in self.results() if t.settings == settings and t.score), None)
        state, score = TrialState.COMPLETE, None if same is None else same.score
        try:
            score = score or train(settings, report)
        except TrialPruned:
            state = TrialState.PRUNED
        except TrainingError:
            state = TrialState.FAIL
        trial.set_user_attr("seconds", round(monotonic() - begun, 3))
        if score is not None:
            trial.set_user_attr("score", asdict(score))
        # The state comes last: whoever is killed before it makes the trial again.
        self._study.tell(trial, None if score is None else score.log_loss, state=state)

    def results(self) -> list[Trial]:
        """Returns what was tried; a trial that was killed is not among it."""
        from optuna.trial import TrialState

        states = {
            TrialState.COMPLETE: "done", TrialState.PRUNED: "pruned", TrialState.FAIL: "failed",
        }  # fmt: skip
        found = []
        for each in self._study.trials:
            values = each.user_attrs
            if each.state in states and "seconds" in values:
                score = values.get("score")
                found.append(
                    Trial(
                        number=each.number,
                        part=self._part,
                        settings=json.loads(values["settings"]),
                        score=None if score is None else Score(**score),
                        state=states[each.state],
                        seconds=values["seconds"],
                    )
                )
        return found

    def finalists(self, found: Sequence[Trial]) -> list[Settings]:
        """Chooses the best heads, once: a search that goes on must not change its mind."""
        kept = self._study.user_attrs.get("finalists")
        if kept is not None:
            return list(json.loads(kept))
        best: list[Settings] = []
        for each in sorted((t for t in found if t.state == "done"), key=loss_of):
            if each.settings not in best and len(best) < FINALISTS:
                best.append(each.settings)
        self._study.set_user_attr("finalists", json.dumps(best))
        return best
