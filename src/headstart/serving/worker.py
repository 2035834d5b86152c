"""Photos of many requests gathered into batches, and one thread that has them classified."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.prediction import Prediction
from headstart.serving.metrics import Metrics
from headstart.serving.models import ServedModel

WINDOW_SECONDS = 0.003
"""How long the first photo of a batch waits for others, where others are on their way."""

BATCH_PHOTOS = 16
"""Most photos a batch: four of the engine's own keep two cores busy; in more, photos only wait."""

logger = logging.getLogger("headstart.serving")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    model: ServedModel
    pixels: NDArray[np.uint8]
    name: str
    answer: "asyncio.Future[Prediction]"


class Worker:
    """The one thread that asks engines. Several would only take the processor from each other."""

    def __init__(
        self, *, expected: Callable[[], int], metrics: Metrics, window: float = WINDOW_SECONDS
    ) -> None:
        """Prepares a worker.

        Args:
            expected: how many photos are under way, those that wait here among them.
            metrics: told about every batch.
            window: seconds that a batch waits for photos that are under way.
        """
        self._expected = expected
        self._metrics = metrics
        self._window = window
        self._asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="inference", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread when what was asked before is answered."""
        self._asked.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Tells whether anything is answered."""
        return self._thread.is_alive()

    def ask(
        self, model: ServedModel, pixels: NDArray[np.uint8], name: str
    ) -> "asyncio.Future[Prediction]":
        """Has a photo (S, S, 3) classified; called on the event loop."""
        answer: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        self._asked.put(_Asked(model, pixels, name, answer))
        return answer

    def _work(self) -> None:
        while (first := self._asked.get()) is not None:
            batch, is_last = self._gather(first)
            # A reload may have put another model beside the one that is being replaced.
            for model in {id(asked.model): asked.model for asked in batch}.values():
                self._answer(model, [asked for asked in batch if asked.model is model])
            if is_last:
                return

    def _gather(self, first: _Asked) -> tuple[list[_Asked], bool]:
        batch, until = [first], monotonic() + self._window
        while len(batch) < BATCH_PHOTOS:
            try:
                left = until - monotonic() if self._expected() > len(batch) else 0.0
                found = self._asked.get(timeout=left) if left > 0 else self._asked.get_nowait()
            except Empty:
                break
            if found is None:
                return batch, True
            batch.append(found)
        return batch, False

    def _answer(self, model: ServedModel, batch: list[_Asked]) -> None:
        wanted = [asked for asked in batch if not asked.answer.cancelled()]
        if not wanted:
            return
        begun = monotonic()
        try:
            found: Sequence[Any] = model.predict(
                np.stack([asked.pixels for asked in wanted]), [asked.name for asked in wanted]
            )
        except Exception as error:
            # Whoever asked has to hear of it; the thread goes on for the others.
            logger.exception("inference failed")
            found = [error] * len(wanted)
        self._metrics.batch(len(wanted), monotonic() - begun)
        wanted[0].answer.get_loop().call_soon_threadsafe(_hand_over, wanted, found)


def _hand_over(batch: list[_Asked], found: Sequence[Any]) -> None:
    for asked, answer in zip(batch, found, strict=True):
        if asked.answer.done():
            continue
        if isinstance(answer, Exception):
            asked.answer.set_exception(answer)
        else:
            asked.answer.set_result(answer)
