"""Which settings for these photos: Optuna asks, `train` answers; a killed search goes on."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.errors import ArgumentError, HeadstartError, MissingPackageError
from headstart.progress import Progress

FIRST_SHARE = 0.25
"""Of the training photos: a trial that is behind on them is not tried on all."""

END_TO_END_SHARE = 0.1
MOST_END_TO_END = 5
_STARTUP = 5
"""Trials before anything is pruned."""

HEADS = ("softmax", "mlp:64", "mlp:256")
BASELINE = {"pooling": "avg", "head": "softmax", "class_weight": "none"}
"""What `train` does unasked: the first trial, so that the best is never worse."""

DEPTHS = ("last:2", "last:5", "last:10", "last:20")


@dataclass(frozen=True, slots=True)
class Score:
    """What settings were worth on photos that they were not trained on.

    Attributes:
        log_loss: mean, in nats; what is made small.
        top_1: share named right.
    """

    log_loss: float
    top_1: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a search.

    Attributes:
        number: in its search, from 0.
        is_end_to_end: whether layers of the backbone were trained too.
        settings: in the words of a recipe.
        score: None where it was pruned or failed.
        state: "complete", "pruned" or "failed".
    """

    number: int
    is_end_to_end: bool
    settings: Mapping[str, Any]
    score: Score | None
    state: str


Train = Callable[[Mapping[str, Any], float], Score]
"""Trains with settings on a share of the training photos, and says what came of it."""


def search(
    storage: Path,
    *,
    trials: int,
    identity: str,
    train: Train,
    seed: int = 0,
    progress: Progress,
) -> tuple[Trial, ...]:
    """Searches: heads on kept features first, then fine-tuning from the best few of them.

    Args:
        storage: SQLite file; one that exists is gone on with.
        trials: in all; a tenth of them, at most five, are end to end.
        identity: of photos and network; a file of others is refused.
        train: what a trial does.
        seed: of the sampler.
        progress: told about every trial.

    Returns:
        All trials, the best first.

    Raises:
        ArgumentError: when the file belongs to other photos or another network.
        MissingPackageError: when Optuna is not installed.
    """
    if trials < 2:
        raise ArgumentError(f"trials={trials} is too few. Expected 2 or more.")
    end_to_end = max(1, min(MOST_END_TO_END, round(trials * END_TO_END_SHARE)))
    heads = _study(storage, "features", identity, seed=seed)
    _run(
        heads, trials - end_to_end, lambda trial: _features_trial(trial, train),
        station="trials on features", progress=progress,
    )  # fmt: skip
    best = [trial.settings for trial in _told(heads, is_end_to_end=False) if trial.score]
    tuned = _study(storage, "end to end", identity, seed=seed)
    if best:
        _run(
            tuned, end_to_end, lambda trial: _tuned_trial(trial, train, best),
            station="trials end to end", progress=progress,
        )  # fmt: skip
    both = (*_told(heads, is_end_to_end=False), *_told(tuned, is_end_to_end=True))
    return tuple(sorted(both, key=lambda t: t.score.log_loss if t.score else float("inf")))


def _study(storage: Path, name: str, identity: str, *, seed: int) -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingPackageError("tune needs Optuna: pip install 'headstart[tune]'.") from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{storage}",
        study_name=name,
        direction="minimize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_STARTUP),
    )
    known = study.user_attrs.get("identity")
    if known not in (None, identity):
        raise ArgumentError(
            f"out={str(storage.parent)!r} holds a search over other photos or another network. "
            "Name another folder."
        )
    study.set_user_attr("identity", identity)
    if not study.trials and name == "features":
        study.enqueue_trial(dict(BASELINE))
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        # It was killed; its settings come first, so that a search ends as if it had not been.
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study


def _run(
    study: Any, wanted: int, objective: Callable[[Any], float], *, station: str, progress: Progress
) -> None:
    from optuna.trial import TrialState

    counted = (TrialState.COMPLETE, TrialState.PRUNED)
    while (done := len(study.get_trials(deepcopy=False, states=counted))) < wanted:
        progress.step(station, done, wanted)
        study.optimize(objective, n_trials=1)
    progress.step(station, min(done, wanted), wanted)


def _features_trial(trial: Any, train: Train) -> float:
    settings: dict[str, Any] = {
        "pooling": trial.suggest_categorical("pooling", ["avg", "max"]),
        "head": trial.suggest_categorical("head", list(HEADS)),
        "class_weight": trial.suggest_categorical("class_weight", ["none", "balanced"]),
    }
    if settings["head"] != "softmax":  # which is fitted in closed form, to the photos as they are
        views = trial.suggest_int("views", 1, 3)
        if views > 1:
            settings |= {"augment": "standard", "views": views}
        settings["dropout"] = trial.suggest_float("dropout", 0.0, 0.6, step=0.1)
        settings["learning_rate"] = trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)
        settings["epochs"] = trial.suggest_int("epochs", 5, 30, step=5)
    return _score(trial, settings, train)


def _tuned_trial(trial: Any, train: Train, best: list[Mapping[str, Any]]) -> float:
    start = trial.suggest_int("start", 0, min(len(best), MOST_END_TO_END) - 1)
    kept = {"pooling", "head", "class_weight", "dropout"}
    settings: dict[str, Any] = {k: v for k, v in best[start].items() if k in kept}
    settings |= {
        "plan": "lp_ft",
        "fine_tune": trial.suggest_categorical("fine_tune", list(DEPTHS)),
        "learning_rate": trial.suggest_float("rate", 1e-5, 1e-3, log=True),
        "epochs": trial.suggest_int("tuned_epochs", 2, 5),
    }
    return _score(trial, settings, train, shares=(1.0,))


def _score(
    trial: Any, settings: dict[str, Any], train: Train, shares: tuple[float, ...] = (FIRST_SHARE, 1)
) -> float:
    import optuna

    trial.set_user_attr("settings", settings)
    score = Score(float("inf"), 0.0)
    for step, share in enumerate(shares):
        try:
            score = train(settings, share)
        except HeadstartError as error:
            # A number, so that the sampler learns to leave such settings alone.
            trial.set_user_attr("failed", str(error))
            return float("inf")
        trial.report(score.log_loss, step)
        if step + 1 < len(shares) and trial.should_prune():
            raise optuna.TrialPruned
    trial.set_user_attr("top_1", score.top_1)
    return score.log_loss


def _told(study: Any, *, is_end_to_end: bool) -> list[Trial]:
    words = {"COMPLETE": "complete", "PRUNED": "pruned"}
    found = []
    for each in study.get_trials(deepcopy=False):
        if each.state.name not in words or "settings" not in each.user_attrs:
            continue
        score = None
        with suppress(KeyError):
            score = Score(float(each.value or 0.0), float(each.user_attrs["top_1"]))
        state = "failed" if "failed" in each.user_attrs else words[each.state.name]
        found.append(Trial(each.number, is_end_to_end, each.user_attrs["settings"], score, state))
    return sorted(found, key=lambda t: t.score.log_loss if t.score else float("inf"))
