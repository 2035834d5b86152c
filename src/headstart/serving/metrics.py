"""Counts for Prometheus; one registry a server."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What a server has done.

    Example:
        >>> metrics = Metrics()
        >>> metrics.request("/v1/predict", 200, 0.1)
        >>> b'headstart_requests_total{route="/v1/predict",status="200"} 1.0' in metrics.text()
        True
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "headstart_requests", "Requests.", ("route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "headstart_request_seconds", "From the request's head to the answer.", ("route",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._photos = Counter(
            "headstart_photos", "Photos.", ("model", "outcome"), registry=self._registry
        )
        self._batch = Histogram(
            "headstart_batch_photos", "Photos a batch.", buckets=(1, 2, 4, 8, 12, 16),
            registry=self._registry,
        )  # fmt: skip
        self._inference = Histogram(
            "headstart_inference_seconds", "A batch.", buckets=_SECONDS, registry=self._registry
        )
        self._waiting = Gauge("headstart_waiting_photos", "Under way.", registry=self._registry)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Counts a request that was answered."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def photos(self, model: str, *, answered: int, set_aside: int) -> None:
        """Counts the photos of a request."""
        self._photos.labels(model, "answered").inc(answered)
        self._photos.labels(model, "set_aside").inc(set_aside)

    def batch(self, photos: int, seconds: float) -> None:
        """Counts a batch."""
        self._batch.observe(photos)
        self._inference.observe(seconds)

    def watch(self, waiting: Callable[[], int]) -> None:
        """Asks for the photos under way when somebody reads."""
        self._waiting.set_function(waiting)

    def text(self) -> bytes:
        """Returns all of it as Prometheus reads it."""
        return generate_latest(self._registry)
