"""float32 or bfloat16 for training steps: measured, since it depends on processor and network."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import keras
import numpy as np

from headstart.training.devices import process_count
from headstart.training.examples import Examples
from headstart.training.plan import Stage

WORTH_A_TRIAL_SECONDS = 60.0
"""A shorter training would be over before a second network is compiled and timed."""

WORTH_A_TRIAL_STEPS = 20
"""Fewer steps than these take no longer than compiling a network that is then thrown away."""

WORTH_IT = 0.8
"""A smaller gain may be the clock's noise, and costs digits."""

TIMED_STEPS = 3
MIXED = "mixed_bfloat16"


def choose_dtype(
    build: Callable[[str], keras.Model], train: Examples, stage: Stage, given: Any
) -> str:
    """Returns "float32" or "mixed_bfloat16", whichever trains faster here.

    On one processor bfloat16 makes VGG-16 several times as fast and MobileNetV2 slower; so a few
    real steps of each are timed, on networks that are then thrown away.

    Args:
        build: makes the network to train in a dtype.
        train: what it will learn from.
        stage: says the precision, or `auto`.
        given: what the training will be given.
    """
    if stage.precision != "auto":
        return MIXED if stage.precision == "bfloat16" else "float32"
    if process_count() > 1:
        # Each would measure its own speed, and they have to agree.
        return "float32"
    steps = stage.epochs * -(-len(train.labels) // stage.batch_size)
    if steps < WORTH_A_TRIAL_STEPS:
        return "float32"
    seconds = _seconds_a_step(build("float32"), train, stage, given)
    if seconds * steps < WORTH_A_TRIAL_SECONDS:
        return "float32"
    mixed = _seconds_a_step(build(MIXED), train, stage, given)
    return MIXED if mixed < WORTH_IT * seconds else "float32"


def _seconds_a_step(model: keras.Model, train: Examples, stage: Stage, given: Any) -> float:
    from headstart.training.loop import compile_model
    from headstart.training.losses import targets

    compile_model(model, replace(stage, average=0.0), given, steps=TIMED_STEPS + 1)
    positions = np.arange(min(stage.batch_size, len(train.labels)))
    inputs = train.inputs(positions, 0)
    wanted = targets(train.labels[positions], given.loss.targets, int(model.output_shape[-1]))
    model.train_on_batch(inputs, wanted)  # compiles
    begun = perf_counter()
    for _ in range(TIMED_STEPS):
        model.train_on_batch(inputs, wanted)
    return (perf_counter() - begun) / TIMED_STEPS
