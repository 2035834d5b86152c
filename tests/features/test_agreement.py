"""The joined model is compared with the cached path as strictly as its precision allows."""

import numpy as np
import pytest

from headstart.errors import EngineError
from headstart.features.agreement import compare_join

CACHED = np.float32([[0.9, 0.1]] * 59 + [[0.502, 0.498]])


def test_rounding_may_turn_a_tie_but_not_a_class_that_leads() -> None:
    joined = CACHED.copy()
    joined[59] = [0.499, 0.501]
    found = compare_join(joined, CACHED, precision="bfloat16")
    assert found.same_top_1 == pytest.approx(59 / 60)
    assert found.same_or_tied == 1.0
    joined[0] = [0.49, 0.51]
    with pytest.raises(EngineError, match=r"same class on 98.3%"):
        compare_join(joined, CACHED, precision="bfloat16")


def test_float32_may_not_differ_by_more_than_a_thousandth() -> None:
    with pytest.raises(EngineError, match=r"float32: largest difference 0.002"):
        compare_join(CACHED + np.float32(0.002), CACHED, precision="float32")
