"""A Ray cluster: reached within a bounded time, or one clear error."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from headstart.errors import EngineError, MissingPackageError

LOCAL = "local"
"""The address that means: start Ray on this machine, and end it afterwards."""

CONNECT_SECONDS = 10.0
JOIN_SECONDS = 45.0
"""Ray itself tries for over three minutes and then ends the process; so a child tries first."""

OBJECT_STORE_BYTES = 256 * 2**20
"""Of a cluster started here: photos never pass through it, only a network and short summaries."""

_QUIET = {
    # Nothing here needs the network beyond the cluster: no statistics sent, no dashboard.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
_TRIAL = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False); ray.shutdown()"


@dataclass(frozen=True, slots=True)
class Workers:
    """A pool of actors.

    Attributes:
        count: of actors; None for as many as the cluster has cores (or GPUs) for.
        cores: of each; it decodes and evaluates with so many threads.
        gpus: of each.
    """

    count: int | None = None
    cores: int = 1
    gpus: float = 0.0


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Connects this process to a cluster for the length of a block.

    Args:
        address: "HOST:PORT" of a running cluster, "auto" for the one that runs on this machine, or
            "local" to start one here. A connection that exists already is used and left open.

    Raises:
        MissingPackageError: when Ray is not installed.
        EngineError: when nothing that is a Ray cluster answers within a minute.
    """
    require_ray()
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import ray

    if ray.is_initialized():
        _be_quiet()
        yield
        return
    if address == LOCAL:
        ray.init(
            address=LOCAL,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
            object_store_memory=OBJECT_STORE_BYTES,
        )
    else:
        _try_out(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    _be_quiet()
    try:
        yield
    finally:
        ray.shutdown()


def require_ray() -> None:
    """Says what to install.

    Raises:
        MissingPackageError: with the pip command.
    """
    from importlib.util import find_spec

    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise MissingPackageError("--ray needs Ray and PyArrow: pip install 'headstart[ray]'.")


def worker_count(workers: Workers) -> int:
    """Returns how many actors a pool has on the cluster that this process is connected to.

    Raises:
        EngineError: when not even one fits on any machine.
    """
    import ray

    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fitting = [_fitting(resources, workers) for resources in alive]
    if not sum(fitting):
        most = max((int(resources.get("CPU", 0)) for resources in alive), default=0)
        raise EngineError(
            f"workers: each wants {workers.cores} cores and {workers.gpus:g} GPUs, and no machine "
            f"of the cluster has them (the largest has {most} cores). Ask for less, or add one."
        )
    return min(workers.count or sum(fitting), sum(fitting))


def _fitting(resources: dict[str, float], workers: Workers) -> int:
    count = int(resources.get("CPU", 0) // workers.cores)
    return min(count, int(resources.get("GPU", 0) // workers.gpus)) if workers.gpus else count


def _try_out(address: str) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if address != "auto":
        if not host or not port.isdigit():
            raise EngineError(
                f"ray={address!r} is no address. Expected HOST:PORT, as `ray start --head` prints "
                "it, auto for a cluster that runs on this machine, or local to start one here."
            )
        try:
            socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
        except OSError as error:
            raise _no_answer(address, error.strerror or str(error)) from None
    command = [sys.executable, "-c", _TRIAL, address]
    try:
        done = subprocess.run(  # noqa: S603 - Python itself, with an address as argument
            command, capture_output=True, timeout=JOIN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _no_answer(address, f"it did not answer as Ray in {JOIN_SECONDS:.0f} s") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise _no_answer(address, lines[-1][:300] if lines else f"exit {done.returncode}")


def _no_answer(address: str, reason: str) -> EngineError:
    return EngineError(
        f"ray={address!r}: no Ray cluster could be joined there ({reason}). Start one with `ray "
        "start --head`, give its HOST:PORT, or use local to start one on this machine."
    )


def _be_quiet() -> None:
    import logging

    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
