"""Learning curves as SVG: one line a measure, a point an epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from headstart.report.plot import BLUE, GREY, ORANGE, below, heading, rule, sheet

_WIDTH, _HEIGHT = 448, 316
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 440, 92, 268
_COLOURS = (ORANGE, BLUE)
_MAX_POINTS = 60
"""Past so many epochs points would touch; the line alone is drawn."""

_MAX_LABELS = 12


@dataclass(frozen=True)
class Curve:
    """A measure over the epochs.

    Attributes:
        name: for the legend.
        values: one an epoch; NaN where it was not measured.
    """

    name: str
    values: Sequence[float]


@dataclass(frozen=True)
class Epochs:
    """What all plots of a training share.

    Attributes:
        stages: number of the stage of each epoch.
        numbers: of each epoch in its stage, counted from 1.
        best: position of the best epoch, or None.
    """

    stages: Sequence[int]
    numbers: Sequence[int]
    best: int | None = None


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float
    step: float
    is_share: bool

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return _BOTTOM - part * (_BOTTOM - _TOP)

    def label(self, value: float) -> str:
        if not self.is_share:
            return f"{round(value, 9):g}"
        digits = 0 if math.isclose(self.step * 100, round(self.step * 100)) else 1
        return f"{value * 100:.{digits}f}%"


def draw_curves(
    title: str,
    curves: Sequence[Curve],
    epochs: Epochs,
    *,
    level: float | None = None,
    is_share: bool = False,
) -> str:
    """Draws the curves of a training, readable on light and dark.

    Args:
        title: above the plot.
        curves: of the training photos, then of the validation photos, on which the best epoch is
            marked.
        epochs: what the points are.
        level: of the linear probe, drawn across, or None.
        is_share: whether values are shares in [0, 1], shown as per cent; else they begin at 0.

    Returns:
        An `<svg>` element, or nothing where nothing was measured.

    Example:
        >>> draw_curves("Loss", [Curve("training", [0.9, 0.4])], Epochs([1, 1], [1, 2]))[:4]
        '<svg'
    """
    curves = [curve for curve in curves if any(map(math.isfinite, curve.values))]
    seen = [value for curve in curves for value in curve.values if math.isfinite(value)]
    if not seen:
        return ""
    axis = _axis([*seen, *([] if level is None else [level])], is_share=is_share)
    has_best = epochs.best is not None and len(curves) > 1
    parts = [*_grid(axis), *_epoch_marks(epochs)]
    if level is not None:
        parts.append(
            f'<path d="M{_LEFT} {axis.y(level):.1f}H{_RIGHT}" stroke="{GREY}" '
            'stroke-width="2" stroke-dasharray="6 4"/>'
        )
    for curve, colour in zip(curves, _COLOURS, strict=False):
        parts += _line(curve, colour, axis=axis, epochs=epochs)
    if has_best:
        parts.append(_ring(curves[1], axis=axis, best=epochs.best or 0))
    parts += _legend(curves, has_level=level is not None, has_best=has_best)
    return sheet(_WIDTH, _HEIGHT, title, parts=[heading(_LEFT, title), *parts])


def _axis(values: Sequence[float], *, is_share: bool) -> _Axis:
    """Round numbers with at most five steps; shares end at 1, other values begin at 0."""
    low, high = (min(*values, 0.95), 1.0) if is_share else (0.0, max(values) or 1.0)
    rough = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(
        factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999
    )
    length = math.ceil((high - low) / step - 1e-6) * step
    return _Axis(1 - length, 1.0, step, True) if is_share else _Axis(0.0, length, step, False)


def _grid(axis: _Axis) -> list[str]:
    parts = []
    for number in range(round((axis.high - axis.low) / axis.step) + 1):
        value = axis.low + number * axis.step
        parts.append(rule(_LEFT, _RIGHT, axis.y(value), label=axis.label(value)))
    return parts


def _x(position: float, count: int) -> float:
    """An epoch has a strip of its own, and its point is in the middle."""
    return _LEFT + (position + 0.5) / count * (_RIGHT - _LEFT)


def _epoch_marks(epochs: Epochs) -> list[str]:
    """Numbers below, and where there are several stages a line where each begins."""
    count = len(epochs.stages)
    every = math.ceil(count / _MAX_LABELS)
    parts = [
        below(_x(at, count), _BOTTOM + 20, f"{number}")
        for at, number in enumerate(epochs.numbers)
        if every == 1 or number % every == 0
    ]
    parts.append(below((_LEFT + _RIGHT) / 2, _HEIGHT - 8, "epoch"))
    begins = [at for at in range(count) if at == 0 or epochs.stages[at] != epochs.stages[at - 1]]
    if len(begins) == 1:
        return parts
    for at, end in zip(begins, [*begins[1:], count], strict=True):
        left, right = _x(at - 0.5, count), _x(end - 0.5, count)
        name = f"stage {epochs.stages[at]}" if right - left > 52 else f"{epochs.stages[at]}"
        parts.append(
            f'<text x="{(left + right) / 2:.1f}" y="{_TOP - 8}" font-size="12" '
            f'text-anchor="middle">{name}</text>'
        )
        if at:
            parts.append(
                f'<path d="M{left:.1f} {_TOP - 20}V{_BOTTOM}" stroke="currentColor" '
                'stroke-opacity=".5" stroke-dasharray="2 3"/>'
            )
    return parts


def _line(curve: Curve, colour: str, *, axis: _Axis, epochs: Epochs) -> list[str]:
    """A line for each stage: between stages the network is another one."""
    count = len(curve.values)
    parts = []
    for stage in dict.fromkeys(epochs.stages):
        points = [
            (at, _x(at, count), axis.y(value), value)
            for at, value in enumerate(curve.values)
            if epochs.stages[at] == stage and math.isfinite(value)
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for _, x, y, _ in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if count <= _MAX_POINTS:
            parts += [
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}">'
                f"<title>{escape(curve.name)}, epoch {epochs.numbers[at]}: {value:.4f}</title>"
                "</circle>"
                for at, x, y, value in points
            ]
    return parts


def _ring(curve: Curve, *, axis: _Axis, best: int) -> str:
    x, y = _x(best, len(curve.values)), axis.y(curve.values[best])
    return (
        f'<circle class="best" cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" '
        f'stroke="currentColor" stroke-width="2"/>'
    )


def _legend(curves: Sequence[Curve], *, has_level: bool, has_best: bool) -> list[str]:
    signs = [
        (f'<circle cx="5" cy="-4" r="5" fill="{colour}"/>', curve.name)
        for curve, colour in zip(curves, _COLOURS, strict=False)
    ]
    if has_level:
        sign = f'<path d="M-2 -4h14" stroke="{GREY}" stroke-width="2" '
        signs.append((sign + 'stroke-dasharray="6 3"/>', "linear probe"))
    if has_best:
        sign = '<circle cx="5" cy="-4" r="5" fill="none" stroke="currentColor" stroke-width="2"/>'
        signs.append((sign, "best epoch"))
    return [
        f'<g transform="translate({_LEFT + at % 2 * 180} {42 + at // 2 * 20})">{sign}'
        f'<text x="16">{escape(name)}</text></g>'
        for at, (sign, name) in enumerate(signs)
    ]
