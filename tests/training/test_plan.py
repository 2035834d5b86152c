"""Named plans become stages, and words that fit nothing are refused at once."""

import pytest

from headstart.errors import ArgumentError
from headstart.training.plan import Stage, check_plan, make_plan

BLOCKS = ("one", "two", "three", "four")


def trained(name, fine_tune=None):
    stages = make_plan(name, fine_tune=fine_tune, blocks=BLOCKS, stage=Stage(epochs=3))
    return [stage.trainable for stage in stages]


def test_each_plan_trains_what_it_says():
    assert trained("linear_probe") == []
    assert trained("lp_ft", "last:5") == ["last:5"]
    assert trained("lp_ft") == ["from:three"]
    assert trained("freeze_then_fine_tune", "all") == ["head", "all"]
    assert trained("scratch") == ["all"]


def test_gradual_unfreezing_goes_down_block_by_block():
    assert trained("gradual_unfreeze") == ["from:four", "from:three", "from:two"]
    assert trained("gradual_unfreeze", "from:three") == ["from:four", "from:three"]
    assert trained("gradual_unfreeze", "last:9") == ["from:four", "from:three", "last:9"]


@pytest.mark.parametrize(
    ("name", "fine_tune", "message"),
    [
        ("lpft", None, "Did you mean lp_ft"),
        ("linear_probe", "all", "which trains the head only. Use --plan lp_ft"),
        ("scratch", "last:3", "which trains everything"),
        ("lp_ft", "head", "would unfreeze nothing"),
        ("lp_ft", "layers:3", "Expected head, last:N"),
    ],
)
def test_words_that_fit_nothing_are_refused(name, fine_tune, message):
    with pytest.raises(ArgumentError, match=message):
        check_plan(name, fine_tune=fine_tune)
