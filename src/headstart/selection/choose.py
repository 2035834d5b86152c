"""Which backbone for these photos: every candidate measured, the weak ones on few photos only."""

from collections.abc import Sequence

from headstart.selection.candidate import Candidate
from headstart.selection.choice import Choice, agreement, ranked, recommend
from headstart.selection.gain import Gain, measure_gains
from headstart.selection.halving import Round, SpeedOf, Standing, run
from headstart.selection.sample import sample_sizes


def choose(
    candidates: Sequence[Candidate],
    given: Round,
    *,
    speed_of: SpeedOf,
    halving: bool = True,
    latency_limit: float | None = None,
    prefilter: int | None = None,
) -> Choice:
    """Measures candidates and recommends one.

    Args:
        candidates: to choose from.
        given: the photos, `extract` (who computes features: this machine, or many), what was
            measured before, and the time that may be spent.
        speed_of: measures a candidate's speed on this machine.
        halving: drop weak candidates on few photos first.
        latency_limit: milliseconds a photo that a candidate may take; None for no limit.
        prefilter: how many go on after the first photos by LogME alone; None for all.
    """
    total = len(given.problem)
    sizes = sample_sizes(total, given.problem.class_count) if halving else (total,)
    # The quickest first: when time runs out, more of them will have been looked at.
    order = sorted(candidates, key=lambda each: each.parameters * each.spec.image_size**2)
    standings = ranked(
        run(
            order, sizes, given,
            speed_of=speed_of, latency_limit=latency_limit, prefilter=prefilter,
        )
    )  # fmt: skip
    recommended = recommend(standings)
    gains: tuple[Gain, ...] = ()
    if recommended is not None and recommended.candidate.spec.weights != "none":
        gains = _gains(recommended.candidate, standings, given)
    return Choice(
        standings=tuple(each for each in standings if each.probes),
        recommended=recommended,
        agreement=agreement(standings, given.first_size),
        gains=gains,
        photos=total,
        left_out=tuple((each.candidate.name, each.out) for each in standings if not each.probes),
        seconds=given.budget.spent,
    )


def _gains(candidate: Candidate, standings: Sequence[Standing], given: Round) -> tuple[Gain, ...]:
    own = next(each for each in standings if each.candidate == candidate)
    # Three passes over few photos, one of them through a whole network.
    if not given.budget.fits(3 * own.seconds_per_photo * given.first_size):
        given.progress.say("The gain over random weights did not fit into the budget.")
        return ()
    return measure_gains(candidate, given)
