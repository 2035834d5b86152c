"""Whether this process is one of several that train as one; asked without importing Keras."""

import os

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
"""Names the first process' HOST:PORT. Keras' own variable, beside `..._NUM_PROCESSES` and
`..._PROCESS_ID`: set for every process of a training, they learn as one."""


def is_one_of_many() -> bool:
    """Tells whether the environment names a job."""
    return bool(os.environ.get(ADDRESSES))
