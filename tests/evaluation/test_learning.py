"""Learning curves: the fit finds what made them; a forecast is no surer than it may be."""

import numpy as np
import pytest

from headstart.evaluation.learning import curve_point, curve_sizes, extrapolate


def points(floor: float, scale: float, power: float, noise: float = 0.0, tests: int = 1000):
    random = np.random.default_rng(0)
    return [
        curve_point(n, 1 - floor - scale * n**-power + random.normal(0, noise, 5), tests)
        for n in (20, 40, 80, 160, 320, 640)
    ]


@pytest.mark.parametrize(("floor", "power"), [(0.0, 0.5), (0.05, 1.0), (0.1, 0.3)])
def test_the_forecast_follows_the_law_that_made_the_points(floor: float, power: float) -> None:
    made = points(floor, 0.5, power)
    (found,) = extrapolate(made, [2560])
    assert found.top_1 == pytest.approx(1 - floor - 0.5 * 2560**-power, abs=0.002)
    assert found.interval.low <= found.top_1 <= found.interval.high


def test_fewer_test_photos_give_a_wider_forecast() -> None:
    widths = []
    for tests in (100, 10_000):
        (found,) = extrapolate(points(0.02, 0.6, 0.5, 0.002, tests), [1280])
        widths.append(found.interval.high - found.interval.low)
    assert widths[0] > 3 * widths[1]


def test_accuracy_that_falls_is_not_followed_up_or_below_nought() -> None:
    made = [curve_point(n, [0.9 - n / 1e4] * 3, 1000) for n in (20, 40, 80, 160)]
    (found,) = extrapolate(made, [10**6])
    assert 0.85 <= found.top_1 <= 0.91


def test_three_points_are_too_few_to_look_ahead() -> None:
    assert extrapolate(points(0, 0.5, 0.5)[:3], [1000]) == ()


def test_sizes_double_up_to_all_photos() -> None:
    assert curve_sizes(1684, 2)[-3:] == (421, 842, 1684)
    assert curve_sizes(12, 2) == (12,)


def test_the_interval_of_a_point_grows_with_the_spread_of_its_draws() -> None:
    calm, wild = curve_point(10, [0.8] * 5, 1000), curve_point(10, [0.6, 0.9, 1.0, 0.7, 0.8], 1000)
    assert calm.top_1 == pytest.approx(wild.top_1)
    assert wild.interval.low < calm.interval.low < calm.top_1 < calm.interval.high
