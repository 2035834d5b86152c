"""The routes of the server."""

from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from headstart.data.decode import pillow_warnings_ignored
from headstart.serving import schema
from headstart.serving.answers import Answering
from headstart.serving.border import Border, error_body
from headstart.serving.intake import Intake
from headstart.serving.limits import Limits
from headstart.serving.metrics import Metrics
from headstart.serving.models import Models
from headstart.serving.page import add_pages
from headstart.serving.worker import Worker

ModelName = Annotated[
    str | None, Query(description="A name from /v1/models. The first where none is given.")
]
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": schema.ErrorBody, "description": text}
    for status, text in {
        400: "The body is not what its type says.",
        401: "No key, or a wrong one.",
        404: "No such model.",
        408: "The body did not arrive in time.",
        413: "Too many bytes or photos.",
        415: "No usable photo, or a type that is not taken.",
        422: "A parameter that does not fit.",
        503: "Busy; try again after `Retry-After` seconds.",
    }.items()
}


def make_app(
    models: Models,
    *,
    limits: Limits | None = None,
    api_key: str | None = None,
    origins: Sequence[str] = (),
) -> FastAPI:
    """Builds the application.

    Args:
        models: what it answers with.
        limits: what one request and all together may take.
        api_key: that /v1 and /metrics ask for; None for nobody's.
        origins: other sites whose pages may ask; none by default.
    """
    metrics, intake = Metrics(), Intake(limits or Limits())
    worker = Worker(expected=lambda: intake.photos.used, metrics=metrics)
    answering = Answering(models, intake=intake, worker=worker, metrics=metrics)
    metrics.watch(lambda: intake.photos.used)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with pillow_warnings_ignored(), ThreadPoolExecutor(1) as reloading:
            app.state.reload = lambda: reloading.submit(models.reload)
            worker.start()
            yield
            worker.stop()
            answering.close()
            intake.close()

    app = FastAPI(
        title="Headstart",
        version=version("headstart"),
        summary="A classifier of photos, from a run folder.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.include_router(_answers(answering))
    app.include_router(_state(models, intake.limits, worker, metrics))
    add_pages(app)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(RequestValidationError, _bad_parameter)
    app.add_middleware(Border, metrics=metrics, api_key=api_key)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
        )
    return app


def _answers(answering: Answering) -> APIRouter:
    router = APIRouter(responses=_REFUSALS)

    @router.post(
        "/v1/predict",
        openapi_extra=schema.REQUEST_BODY,
        responses={200: {"model": schema.PredictionsBody}},
        response_class=Response,
    )
    async def predict(request: Request, model: ModelName = None) -> Response:
        """Classifies photos; of several, unreadable ones are set aside.

        With the header Prefer: handling=lenient they are even when there is no other.
        """
        return await answering.predict(request, model)

    @router.post(
        "/v1/explain",
        openapi_extra=schema.REQUEST_BODY,
        responses={200: {"model": schema.ExplanationBody, "content": {"image/png": {}}}},
        response_class=Response,
    )
    async def explain(
        request: Request,
        model: ModelName = None,
        class_name: Annotated[
            str | None,
            Query(description="The class to explain. The likeliest where none is given."),
        ] = None,
        format: Annotated[  # noqa: A002 - the name of the parameter in the address
            str,
            Query(
                pattern="^(png|json)$",
                description="png: the map over the photo. json: numbers too.",
            ),
        ] = "png",
    ) -> Response:
        """Shows where in one photo the classifier looked."""
        return await answering.explain(
            request, model, class_name=class_name, as_png=format == "png"
        )

    return router


def _state(models: Models, limits: Limits, worker: Worker, metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/models", response_model=schema.ModelsBody, responses={401: _REFUSALS[401]})
    async def list_models() -> Any:
        """Lists the runs that are served, and what one request may hold."""
        own = {name: getattr(limits, name) for name in schema.LimitsBody.model_fields}
        return {"models": [model.to_dict() for model in models], "limits": own}

    @router.get("/healthz", response_model=schema.StatusBody)
    async def is_alive() -> Any:
        """Tells that the process lives."""
        return {"status": "alive"}

    @router.get(
        "/readyz",
        response_model=schema.StatusBody,
        responses={503: {"model": schema.StatusBody, "description": "Not ready."}},
    )
    async def is_ready(response: Response) -> Any:
        """Tells whether photos are answered: every run is loaded before the first request."""
        response.status_code = 200 if worker.is_alive else 503
        return {"status": "ready" if worker.is_alive else "not ready"}

    @router.get(
        "/metrics",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}, 401: _REFUSALS[401]},
    )
    async def show_metrics() -> Response:
        """Counts, for Prometheus."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


async def _not_found(request: Request, error: Any) -> Response:
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "refused")
    message = f"{request.method} {request.url.path[:100]}: {error.detail}. See /docs."
    return Response(error_body(code, message), error.status_code, error.headers, "application/json")


async def _bad_parameter(_request: Request, error: Any) -> Response:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return Response(
        error_body("bad_parameter", f"{place}: {first['msg']}."), 422, None, "application/json"
    )
