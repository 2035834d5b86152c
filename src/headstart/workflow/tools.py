"""What every station of a journey is handed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from headstart.data.store import CachePlace
from headstart.errors import ArgumentError
from headstart.features.engine import check_backend, choose_engine
from headstart.features.frozen_pass import FrozenPass
from headstart.process import KerasCaller, KerasHere, KerasProcess
from headstart.progress import Progress, Silent

if TYPE_CHECKING:
    from headstart.scale.extraction import OnRay


@dataclass(frozen=True, slots=True)
class RayPlace:
    """A Ray cluster, as a person names it.

    Attributes:
        address: `HOST:PORT`, `auto` for the one on this machine, `local` to start one.
        shards: folder or URI where it keeps what it computes; None for the cache.
    """

    address: str
    shards: str | None = None

    @staticmethod
    def named(address: str | None, shards: str | None) -> "RayPlace | None":
        """Returns what two options say together.

        Raises:
            ArgumentError: for shards without a cluster.
        """
        if address is not None:
            return RayPlace(address, shards)
        if shards is None:
            return None
        raise ArgumentError(
            f"shards={shards!r} is where a cluster writes, and none is named: add --ray."
        )


@dataclass(frozen=True)
class Tools:
    """The surroundings of a journey.

    Attributes:
        place: the cache.
        progress: the listener.
        caller: who runs what needs Keras.
        engine: "openvino" or "keras".
        on: the cluster that evaluates frozen networks; None for this machine.
    """

    place: CachePlace
    progress: Progress
    caller: KerasCaller
    engine: str
    on: "OnRay | None" = None

    @property
    def pass_maker(self) -> Callable[..., FrozenPass]:
        """What makes frozen passes: on the cluster, where there is one, else on this machine."""
        if self.on is None:
            return FrozenPass
        from headstart.scale.ray_pass import RayPass

        return partial(RayPass, on=self.on)

    def make_pass(self, network: Any, **settings: Any) -> FrozenPass:
        """Returns a frozen pass over a network; for the settings see `FrozenPass`."""
        return self.pass_maker(network, place=self.place, progress=self.progress, **settings)


@contextmanager
def tools(
    engine: str, progress: Progress | None, *, ray: RayPlace | None = None
) -> Iterator[Tools]:
    """Chooses the engine and says who runs Keras for it.

    Args:
        engine: one of `headstart.features.engine.ENGINES`.
        progress: the listener, or None for nobody.
        ray: the cluster that evaluates frozen networks; None for this machine.
    """
    if ray is None:
        with _tools(engine, progress) as given:
            yield given
        return
    from headstart.scale.cluster import cluster
    from headstart.scale.extraction import OnRay

    with cluster(ray.address), _tools(engine, progress) as given:
        yield replace(given, on=OnRay.at(ray.address, ray.shards, given.place))


@contextmanager
def _tools(engine: str, progress: Progress | None) -> Iterator[Tools]:
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
