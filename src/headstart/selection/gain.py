"""What pretrained weights are worth here: the same network with random ones, measured."""

from dataclasses import dataclass

from headstart.evaluation.comparison import SIGNIFICANT
from headstart.selection.candidate import Candidate
from headstart.selection.halving import Round


@dataclass(frozen=True, slots=True)
class Gain:
    """Pretrained against random weights, at one place of a network.

    Attributes:
        layer: whose averaged activations were the features; None for the network's own.
        photos: on how many.
        pretrained: cross-validated accuracy, in [0, 1].
        random: the same with random weights.
        p_value: McNemar's.
    """

    layer: str | None
    photos: int
    pretrained: float
    random: float
    p_value: float

    def __str__(self) -> str:
        points = 100 * (self.pretrained - self.random)
        where = "at the end" if self.layer is None else f"at the early layer {self.layer}"
        proof = f"p = {self.p_value:.1g}" if self.p_value < SIGNIFICANT else "which may be luck"
        return f"{points:+.1f} points {where} ({proof})"


def measure_gains(candidate: Candidate, given: Round) -> tuple[Gain, ...]:
    """Compares a candidate with itself as if it had never seen a photo, early and at the end.

    What its first layers have learnt (edges, colours, textures) helps here when it beats random
    weights there: the photos of its source are then like these in what is seen from near.

    Args:
        candidate: with pretrained weights.
        given: the photos, of which the first few are taken, and who computes features.
    """
    gains, count = [], given.first_size
    for each in (candidate.at_early_layer(), candidate):
        # The scores come with the first round's probe, which is kept.
        pretrained = given.measure(each, count, scored=0 if each.layer else count)
        random = given.measure(each.with_random_weights(), count)
        p_value = pretrained.p_value(random)
        gains.append(Gain(each.layer, count, pretrained.top_1, random.top_1, p_value))
    return tuple(gains)


def gains_sentence(gains: tuple[Gain, ...]) -> str:
    """Says what was found.

    Example:
        >>> gains_sentence((Gain("early", 200, 0.8, 0.7, 0.001), Gain(None, 200, 0.9, 0.6, 1e-9)))
        'Pretrained against random weights, 200 photos: +10.0 points at the early layer early
        (p = 0.001), +30.0 points at the end (p = 1e-09). Low-level features of its source fit these
        photos.'
    """
    early, last = gains[0], gains[-1]
    fits = early.p_value < SIGNIFICANT and early.pretrained > early.random
    helps = last.p_value < SIGNIFICANT and last.pretrained > last.random
    verdict = (
        "Low-level features of its source fit these photos."
        if fits
        else "Its early layers are not proven to fit these photos better than random ones"
        + ("; what it knows helps further up." if helps else ", nor are the later ones.")
    )
    return (
        f"Pretrained against random weights, {early.photos} photos: "
        f"{', '.join(map(str, gains))}. {verdict}"
    )
