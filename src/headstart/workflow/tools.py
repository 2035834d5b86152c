"""What every station of a journey is handed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from headstart.data.store import CachePlace
from headstart.features.engine import check_backend, choose_engine
from headstart.process import KerasCaller, KerasHere, KerasProcess
from headstart.progress import Progress, Silent


@dataclass(frozen=True)
class Tools:
    """The surroundings of a journey.

    Attributes:
        place: the cache.
        progress: the listener.
        caller: who runs what needs Keras.
        engine: "openvino" or "keras".
    """

    place: CachePlace
    progress: Progress
    caller: KerasCaller
    engine: str


@contextmanager
def tools(engine: str, progress: Progress | None) -> Iterator[Tools]:
    """Chooses the engine and says who runs Keras for it.

    Args:
        engine: one of `headstart.features.engine.ENGINES`.
        progress: the listener, or None for nobody.
    """
    name, place, listener = choose_engine(engine), CachePlace.default(), progress or Silent()
    if name == "keras":
        check_backend()
        yield Tools(place, listener, KerasHere(), name)
        return
    child = KerasProcess("openvino")
    try:
        yield Tools(place, listener, child, name)
    finally:
        child.close()
