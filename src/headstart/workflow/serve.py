"""`headstart serve`: runs loaded and warm, then the server around them."""

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.artifact.run import Run
from headstart.errors import ArgumentError, MissingPackageError
from headstart.evaluation.conformal import COVERAGE
from headstart.workflow.explain import Explainer
from headstart.workflow.predictor import make_predictor
from headstart.workflow.tools import tools

if TYPE_CHECKING:
    from headstart.serving.limits import Limits
    from headstart.serving.models import Models, ServedModel

KEY_VARIABLE = "HEADSTART_API_KEY"
_PACKAGES = ("fastapi", "prometheus_client", "python_multipart", "uvicorn")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    runs: Sequence[Path],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: "Limits | None" = None,
    key_file: Path | None = None,
    origins: Sequence[str] = (),
    coverage: float = COVERAGE,
    engine: str = "auto",
    precision: str | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serves runs until SIGTERM or Ctrl-C.

    Args:
        runs: run folders; the first answers where a request names none.
        host: to listen on; the machine itself and nobody else by default.
        port: 0 takes any that is free.
        limits: what requests may take.
        key_file: holds the API key; else HEADSTART_API_KEY does; else there is none.
        origins: other sites whose pages may ask.
        coverage: as for `predict`.
        engine: as for `predict`.
        precision: as for `predict`.
        on_ready: told the address when requests are taken.

    Raises:
        MissingPackageError: when the extra `serve` is not installed.
        ArgumentError: when an argument does not fit.
        RunError: when a folder is no run or was damaged.
    """
    _check_packages()
    from threadpoolctl import threadpool_limits

    from headstart.serving.app import make_app
    from headstart.serving.limits import Limits
    from headstart.serving.logs import log_as_json
    from headstart.serving.server import bind
    from headstart.serving.server import serve as run_server

    allowed, key = limits or Limits(), _api_key(key_file)
    log_as_json()
    # BLAS has threads of its own, which wait by spinning: for the distances of a few photos they
    # would take half of the processor from the network.
    with bind(host, port) as bound, threadpool_limits(1, user_api="blas"):
        models = load_models(runs, coverage=coverage, engine=engine, precision=precision)
        app = make_app(models, limits=allowed, api_key=key, origins=origins)
        address = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}/"
        if host not in _LOOPBACK and key is None:
            _log().warning("anybody who reaches %s may ask: there is no API key", address)

        def ready() -> None:
            _log().info("ready", extra={"address": address})
            if on_ready is not None:
                on_ready(address)

        run_server(app, bound, on_ready=ready, grace_seconds=allowed.seconds)


def load_models(
    runs: Sequence[Path],
    *,
    coverage: float = COVERAGE,
    engine: str = "auto",
    precision: str | None = None,
) -> "Models":
    """Loads runs, and says how they are loaded again when they change.

    Raises:
        ArgumentError: when an argument does not fit, or two folders have one name.
        RunError: when a folder is no run or was damaged.
    """
    from headstart.serving.models import Models

    def load(run: Run) -> "ServedModel":
        return _load(run, coverage=coverage, engine=engine, precision=precision)

    return Models(runs, load)


def _load(run: Run, *, coverage: float, engine: str, precision: str | None) -> "ServedModel":
    from headstart.serving.models import ServedModel

    with tools(engine, _Said()) as given:
        predictor = make_predictor(
            run, given, engine=engine, precision=precision, coverage=coverage
        )
        pictures = warm_up_pictures(predictor.image_size)
        predictor.predict_pixels(pictures, [""] * len(pictures))
    return ServedModel(
        name=run.folder.resolve().name,
        run=run,
        engine=predictor.engine,
        precision=predictor.precision,
        predict=predictor.predict_pixels,
        explain=Explainer(run, predictor.classify),
    )


def warm_up_pictures(size: int, *, count: int = 16) -> NDArray[np.uint8]:
    """Draws pictures on which an engine can be tried before the first photo comes.

    Their spectrum falls with the frequency, as that of photos does; on noise or plain colours a
    network's features say little about the precision of an engine.
    Source: Field, Relations between the statistics of natural images, JOSA A 1987.

    Args:
        size: side in pixels.
        count: how many.

    Returns:
        uint8 (count, size, size, 3).

    Example:
        >>> warm_up_pictures(32, count=2).shape
        (2, 32, 32, 3)
    """
    random = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :])
    frequency[0, 0] = 1 / size
    noise = np.fft.fft2(random.normal(size=(count, 3, size, size)))
    smooth = np.fft.ifft2(noise / frequency).real
    smooth -= smooth.mean(axis=(2, 3), keepdims=True)
    smooth /= np.maximum(smooth.std(axis=(2, 3), keepdims=True), 1e-9)
    # A share of each picture's own brightness in all channels: colours of photos go together.
    mixed = 0.4 * smooth + 0.6 * smooth.mean(axis=1, keepdims=True)
    return np.asarray(np.clip(128 + 64 * mixed, 0, 255).transpose(0, 2, 3, 1), np.uint8)


def _check_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingPackageError(
            f"headstart serve needs {', '.join(missing)}: pip install 'headstart[serve]'."
        )


def _api_key(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(KEY_VARIABLE) or None
    try:
        key = file.read_text("ascii").strip()
    except (OSError, ValueError) as error:
        raise ArgumentError(f"--key-file {str(file)!r} cannot be read: {error}.") from error
    if not key:
        raise ArgumentError(f"--key-file {str(file)!r} is empty. Write the key into it.")
    return key


class _Said:
    """Passes on what loading has to say; a log has no use for bars."""

    def step(self, station: str, done: int, total: int) -> None:
        """Ignores it."""

    def epoch(self, station: str, values: Any, total: int) -> None:
        """Ignores it."""

    def say(self, sentence: str) -> None:
        """Writes it into the log."""
        _log().warning(sentence)


def _log() -> logging.Logger:
    return logging.getLogger("headstart.serving")
