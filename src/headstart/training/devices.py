"""Several devices of one machine as one: every batch is divided among them."""

import math

import keras


def use_all_devices() -> None:
    """Divides batches among all local devices from now on; to be called before a model is made.

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
