"""Several devices, of one machine or of many, as one: every batch is divided among them."""

import math
from importlib import import_module
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from headstart.errors import ArgumentError
from headstart.training.job import ADDRESSES, is_one_of_many
from headstart.training.score import Score


def join_processes() -> None:
    """Meets the other processes of this training, where the environment names them.

    To be called before anything is computed; it waits for all of them.

    Raises:
        ArgumentError: under another backend than JAX, which is the only one that Keras distributes.
    """
    if not is_one_of_many():
        return
    if keras.backend.backend() != "jax":
        raise ArgumentError(
            f"{ADDRESSES} is set, and Keras distributes a training under JAX only; its backend is "
            f"{keras.backend.backend()!r} here. Set KERAS_BACKEND=jax, or unset {ADDRESSES}."
        )
    # `process_count` would begin to compute, after which it is too late.
    if not _jax().distributed.is_initialized():
        keras.distribution.initialize()


def use_all_devices() -> None:
    """Divides batches among all devices from now on; to be called before a model is made.

    JAX only: Keras has no such thing for the other backends.
    """
    if keras.backend.backend() != "jax" or keras.distribution.distribution() is not None:
        return
    if len(keras.distribution.list_devices()) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())


def device_count() -> int:
    """Returns among how many devices a batch is divided; its size must be a multiple of that."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else math.prod(distribution.device_mesh.shape)


def process_count() -> int:
    """Returns how many processes learn as one."""
    return int(_jax().process_count()) if keras.backend.backend() == "jax" else 1


def process_number() -> int:
    """Returns which of them this is, from 0."""
    return int(_jax().process_index()) if keras.backend.backend() == "jax" else 0


def own_share(positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the part of a batch that this process feeds; devices get equal parts.

    The few photos left over are others in every epoch. Fewer than there are devices are repeated.
    """
    devices = device_count()
    even = len(positions) - len(positions) % devices
    positions = positions[:even] if even else np.resize(positions, devices)
    return np.split(positions, process_count())[process_number()]


def agreed(values: Any) -> Any:
    """Returns what the first process has, in every process: what differs by rounding would part."""
    if process_count() == 1:
        return values
    return import_module("jax.experimental.multihost_utils").broadcast_one_to_all(values)


def agreed_score(found: Score | None) -> Score | None:
    """Returns the score of the first process."""
    if found is None or process_count() == 1:
        return found
    top_1, log_loss = agreed(np.array([found.top_1, found.log_loss]))
    return Score(float(top_1), float(log_loss))


def is_alike(number: int) -> bool:
    """Tells whether all processes have the same number."""
    if process_count() == 1:
        return True
    gather = import_module("jax.experimental.multihost_utils").process_allgather
    return len(set(np.asarray(gather(np.int32(number))).tolist())) == 1


def _jax() -> Any:
    return import_module("jax")
