"""What the server says of photos: predictions and explanations."""

import asyncio
import io
import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from headstart.errors import ArgumentError, PhotoError, near_matches
from headstart.explanation.overlay import overlay
from headstart.prediction import Prediction
from headstart.serving.intake import Intake, Photo
from headstart.serving.limits import Room
from headstart.serving.metrics import Metrics
from headstart.serving.models import Models, ServedModel
from headstart.serving.worker import Worker

EXPLAINED_AT_ONCE = 8
"""A heat map costs as much as many answers; more than these may not wait for theirs."""


class Answering:
    """Answers requests with models."""

    def __init__(self, models: Models, *, intake: Intake, worker: Worker, metrics: Metrics) -> None:
        self._models = models
        self._intake = intake
        self._worker = worker
        self._metrics = metrics
        self._explaining = ThreadPoolExecutor(1, thread_name_prefix="explain")
        self._explained = Room("photos to explain", most=EXPLAINED_AT_ONCE)

    def close(self) -> None:
        """Ends the thread."""
        self._explaining.shutdown(cancel_futures=True)

    async def predict(self, request: Request, name: str | None) -> Response:
        """Classifies the photos of a request.

        Raises:
            PhotoError: when none of them is a usable photo; with `Prefer: handling=lenient` (RFC
                7240) they are listed then too.
            RequestError: see `Intake.open`.
        """
        model = self._models.find(name)
        async with self._intake.open(request, image_size=model.image_size) as photos:
            found = await asyncio.gather(*self._asked(model, photos))
        refused = [photo for photo in photos if photo.pixels is None]
        self._note(request, model, photos)
        if not found and "handling=lenient" not in request.headers.get("prefer", ""):
            raise PhotoError("; ".join(f"{photo.name}: {photo.reason}" for photo in refused))
        return _json(
            {
                "model": model.name,
                "predictions": [prediction.to_dict() for prediction in found],
                "set_aside": [{"path": each.name, "reason": each.reason} for each in refused],
            }
        )

    async def explain(
        self, request: Request, name: str | None, *, class_name: str | None, as_png: bool
    ) -> Response:
        """Explains the one photo of a request.

        Raises:
            PhotoError: when it is no usable photo.
            ArgumentError: when the model has no such class.
            RequestError: see `Intake.open`.
        """
        model = self._models.find(name)
        _check_class(model, class_name)
        async with self._intake.open(request, image_size=model.image_size, most=1) as photos:
            self._note(request, model, photos)
            if photos[0].pixels is None:
                raise PhotoError(f"{photos[0].name}: {photos[0].reason}")
            with self._explained.taken(1):
                wanted = class_name or (await self._asked(model, photos)[0]).class_name
                found = await asyncio.get_running_loop().run_in_executor(
                    self._explaining, _explanation, model, photos[0].pixels, wanted
                )
        if as_png:
            return Response(found["overlay"], media_type="image/png")
        return _json(found | {"overlay": b64encode(found["overlay"]).decode("ascii")})

    def _asked(self, model: ServedModel, photos: list[Photo]) -> "list[asyncio.Future[Prediction]]":
        return [
            self._worker.ask(model, photo.pixels, photo.name)
            for photo in photos
            if photo.pixels is not None
        ]

    def _note(self, request: Request, model: ServedModel, photos: list[Photo]) -> None:
        refused = sum(photo.pixels is None for photo in photos)
        self._metrics.photos(model.name, answered=len(photos) - refused, set_aside=refused)
        request.state.noted = {"model": model.name, "photos": len(photos), "set_aside": refused}


def _check_class(model: ServedModel, class_name: str | None) -> None:
    known = model.run.manifest.class_names
    if class_name is not None and class_name not in known:
        raise ArgumentError(
            f"class_name={class_name[:100]!r} is unknown to {model.name}. Choose one of "
            f"{', '.join(known[:20])}.{near_matches(class_name[:100], known)}"
        )


def _explanation(model: ServedModel, pixels: NDArray[np.uint8], class_name: str) -> dict[str, Any]:
    number = model.run.manifest.class_names.index(class_name)
    (heat,), method = model.explain(pixels[None], np.array([number], np.int64))
    file = io.BytesIO()
    Image.fromarray(overlay(pixels, heat)).save(file, "PNG")
    return {
        "model": model.name,
        "class_name": class_name,
        "method": method,
        "heat": np.round(heat, 4).tolist(),
        "overlay": file.getvalue(),
    }


def _json(values: Any) -> Response:
    return Response(json.dumps(values, ensure_ascii=False), media_type="application/json")
