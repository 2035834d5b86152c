"""The frozen pass on OpenVINO, in the fastest precision that proves to be good enough."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import EngineError
from headstart.features.engine import Batch, Rows, pad_batch
from headstart.features.graph import BATCH_SIZE, Graph
from headstart.features.layout import remove_transposes
from headstart.progress import Progress

if TYPE_CHECKING:
    import openvino

ROUNDS = 3
"""Each precision is timed so often, in turn; its best time counts, the one least disturbed."""

CLEAR = 1.25
"""How many times as fast as all others the best must be for one round to tell."""

_HINTS = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_CAPABILITIES = {"bfloat16": "BF16", "float16": "FP16"}


class OpenVINOEngine:
    """A compiled graph with as many requests in flight as the processor has streams."""

    name = "openvino"
    batch_size = BATCH_SIZE

    def __init__(self, compiled: "openvino.CompiledModel", precision: str) -> None:
        self.precision = precision
        self._compiled = compiled
        self._requests: list[openvino.InferRequest] = []

    def run(self, batches: Iterable[Batch]) -> Iterator[Rows]:
        """Evaluates batches (B, H, W, 3) and yields (B, ...) float32 for each, in order."""
        return _run(self._compiled, batches, self._requests)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How near an engine's rows are to float32: the cosine of each row, over some photos."""

    median: float
    minimum: float

    @staticmethod
    def between(rows: Rows, reference: Rows) -> "Agreement":
        """Compares two (N, ...) arrays row by row."""
        first = rows.reshape(len(rows), -1).astype(np.float64)
        second = reference.reshape(len(reference), -1).astype(np.float64)
        lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
        both_zero = (np.abs(first).max(axis=1) == 0) & (np.abs(second).max(axis=1) == 0)
        dots = np.einsum("nd,nd->n", first, second)
        cosine = np.where(both_zero, 1.0, dots / np.maximum(lengths, 1e-30))
        return Agreement(float(np.median(cosine)), float(cosine.min()))

    def is_good_enough(self, precision: str) -> bool:
        """Applies the bar: float32 must be the same, a lower precision nearly so."""
        if precision == "float32":
            return self.minimum >= 0.99999
        return self.median >= 0.99 and self.minimum >= 0.97


def fastest_engine(
    graph: Graph,
    samples: Batch,
    *,
    precision: str,
    progress: Progress,
    threads: int | None = None,
) -> OpenVINOEngine:
    """Compiles a graph in the fastest precision that agrees with float32 on real photos.

    The reference is Keras' own graph, untouched, computed in float32. What was measured is kept
    beside the graph, so that this happens once a network and machine.

    Args:
        graph: a converted network.
        samples: a few real photos, uint8 (N, H, W, 3).
        precision: "auto", or the one to use (which must pass too).
        progress: told when a precision had to be given up.
        threads: to compute with; None for all processors.

    Raises:
        EngineError: when not even float32 agrees; the caller then falls back to Keras.
    """
    note_name = f"precision-{_machine()}"
    wanted = _candidates() if precision == "auto" else (precision,)
    note, compiled = graph.note(note_name) or {}, {}
    if any(name not in note for name in wanted):
        compiled = {
            name: _compile(graph, name, with_layout=True, threads=threads) for name in wanted
        }
        note |= _measure(graph, compiled, samples)
        graph.write_note(note_name, note)
    good = [name for name in wanted if Agreement(**note[name]["agreement"]).is_good_enough(name)]
    for name in wanted:
        if name not in good:
            found = Agreement(**note[name]["agreement"])
            progress.say(
                f"OpenVINO in {name} is not used: its features differ from float32 "
                f"(cosine: median {found.median:.5f}, minimum {found.minimum:.5f})."
            )
    if not good:
        raise EngineError(
            f"OpenVINO does not agree with Keras on this network in {' or '.join(wanted)}. "
            "Use --engine keras, or --precision float32."
        )
    best = max(good, key=lambda name: float(note[name]["photos_per_second"]))
    chosen = compiled.get(best) or _compile(graph, best, with_layout=True, threads=threads)
    return OpenVINOEngine(chosen, best)


def trusted_engine(graph: Graph, precision: str, *, threads: int | None = None) -> OpenVINOEngine:
    """Compiles a graph whose answers the caller compares himself, photo by photo."""
    return OpenVINOEngine(_compile(graph, precision, with_layout=True, threads=threads), precision)


def _candidates() -> tuple[str, ...]:
    """Returns float32 and what the processor computes natively; the rest would be emulated."""
    native = _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("float32", *(name for name, word in _CAPABILITIES.items() if word in native))


def _measure(
    graph: Graph, compiled: "dict[str, openvino.CompiledModel]", samples: Batch
) -> dict[str, Any]:
    reference = _rows(_compile(graph, "float32", with_layout=False), samples)
    agreement = {
        name: Agreement.between(_rows(compiled[name], samples), reference) for name in compiled
    }
    seconds = {name: float("inf") for name in compiled}
    for _ in range(ROUNDS):
        for name in compiled:
            begin = perf_counter()
            _rows(compiled[name], samples)
            seconds[name] = min(seconds[name], perf_counter() - begin)
        best, *others = sorted(seconds.values())
        if all(other > CLEAR * best for other in others):
            break  # on a large network each further round would cost seconds
    return {
        name: {
            "agreement": asdict(agreement[name]),
            "photos_per_second": len(samples) / seconds[name],
        }
        for name in compiled
    }


def _rows(compiled: "openvino.CompiledModel", samples: Batch) -> Rows:
    parts = (samples[i : i + BATCH_SIZE] for i in range(0, len(samples), BATCH_SIZE))
    return np.concatenate(list(_run(compiled, parts)))


def _core() -> "openvino.Core":
    import openvino

    return openvino.Core()


def _machine() -> str:
    import openvino

    name = str(_core().get_property("CPU", "FULL_DEVICE_NAME"))
    version = openvino.__version__.split("-")[0]
    return "".join(c if c.isalnum() else "_" for c in f"{name} {version}")


def _compile(
    graph: Graph, precision: str, *, with_layout: bool, threads: int | None = None
) -> "openvino.CompiledModel":
    import openvino
    from openvino.preprocess import PrePostProcessor

    core = _core()
    try:
        model = core.read_model(graph.file)
    except RuntimeError as error:
        graph.drop()
        raise EngineError(
            f"The converted network in {graph.folder} was damaged: {error}"
        ) from error
    processor = PrePostProcessor(model)
    processor.input().tensor().set_element_type(openvino.Type.u8)
    model = processor.build()
    if with_layout:
        remove_transposes(model)
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
    }
    if threads is None:
        core.set_property({"CACHE_DIR": str(graph.folder / "compiled")})
    else:
        # One of several workers of a machine: it takes its share, and not the same core as the
        # others; they would also read compiled forms that another one is writing.
        settings |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    return core.compile_model(model, "CPU", settings)


def _run(
    compiled: "openvino.CompiledModel",
    batches: Iterable[Batch],
    idle: "list[openvino.InferRequest] | None" = None,
) -> Iterator[Rows]:
    # Requests of our own, answered in order. `AsyncInferQueue` calls back into Python from its
    # threads, and was seen to wait for ever when it was destroyed while one of them ended.
    # Making one takes as long as some batches: those of the last run are taken again. Two runs at
    # the same time share none, since each takes them out of the list.
    idle = [] if idle is None else idle
    streams = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
    free: list[openvino.InferRequest] = []
    busy: deque[tuple[openvino.InferRequest, int]] = deque()
    made = 0
    for batch in batches:
        if not free and made <= streams:
            free.append(_take(idle) or compiled.create_infer_request())
            made += 1
        if not free:
            yield _answer(busy, free)
        request = free.pop()
        request.start_async({0: pad_batch(batch, BATCH_SIZE)})
        busy.append((request, len(batch)))
    while busy:
        yield _answer(busy, free)
    idle += free


def _take(idle: "list[openvino.InferRequest]") -> "openvino.InferRequest | None":
    try:
        return idle.pop()
    except IndexError:
        return None


def _answer(
    busy: "deque[tuple[openvino.InferRequest, int]]", free: "list[openvino.InferRequest]"
) -> Rows:
    request, size = busy.popleft()
    request.wait()
    rows = np.array(request.get_output_tensor().data[:size], np.float32)
    free.append(request)
    return rows
