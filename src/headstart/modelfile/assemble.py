"""From a config to a `ModelGraph`, with own shape inference: no Keras, nothing built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from headstart.errors import ModelFileError, near_matches
from headstart.modelfile.calls import Call, Opener, reference
from headstart.modelfile.dialects import modern, modern_operation
from headstart.modelfile.findings import Repair, Risk
from headstart.modelfile.graph import LayerNode, ModelGraph, Shape
from headstart.modelfile.kinds import Kind, Misfit, Settings
from headstart.modelfile.operations import OPERATIONS, encode, operation_shape
from headstart.modelfile.settings import Unfit, axes, check_settings, flag, sizes
from headstart.modelfile.table import KINDS

MAX_ACTIVATION_BYTES = 2**30
"""That one layer may give for one photo; 112 x 112 x 64, the most in VGG-16, take 3 MB."""

_CODE = frozenset({"Lambda", "TensorFlowOpLayer", "TFSMLayer", "PyDatasetLambda"})
_MODULES = ("keras.", "keras_core.", "tensorflow.keras.", "tf_keras.")
_PLAIN = (bool, int, float, str)


@dataclass(frozen=True, slots=True)
class Assembled:
    """A network read from a config.

    Attributes:
        graph: the network as data.
        repairs: what was brought into today's form.
        risks: why it is not to be built; none where it may be.
        paths: of each node, the names that the file writes for it and the models around it.
    """

    graph: ModelGraph
    repairs: tuple[Repair, ...]
    risks: tuple[Risk, ...]
    paths: Mapping[str, tuple[str, ...]]


def assemble(config: Any, *, max_bytes: int, trusted: Collection[str] = ()) -> Assembled:
    """Reads a network out of a config, whichever Keras wrote it.

    Args:
        config: `class_name` and `config` of a Sequential or functional model, as JSON gave them.
        max_bytes: that its weights may take in memory.
        trusted: names of custom layers that the user answers for.

    Raises:
        ModelFileError: when it is no network that could be drawn, let alone built.
    """
    kind = config.get("class_name") if isinstance(config, dict) else None
    if kind not in ("Sequential", "Functional", "Model"):
        raise ModelFileError(
            f"Its model is a {kind!r}. A subclassed model is Python code, which no file holds; "
            "expected a Sequential or functional model."
        )
    opener = Opener()
    outputs = opener.open(config)
    maker = _Maker(trusted)
    for call in opener.calls:
        maker.add(call)
    name = config["config"].get("name") if isinstance(config["config"], dict) else None
    graph = ModelGraph(
        name=str(name or "model"), layers=tuple(maker.nodes.values()), outputs=outputs
    )
    maker.risks += _memory_risks(graph, max_bytes)
    repairs = _summed([*opener.repairs, *maker.repairs])
    return Assembled(graph, repairs, tuple(maker.risks), maker.paths)


class _Maker:
    """Turns calls into nodes, one after the other."""

    def __init__(self, trusted: Collection[str]) -> None:
        self.nodes: dict[str, LayerNode] = {}
        self.paths: dict[str, tuple[str, ...]] = {}
        self.repairs: list[Repair] = []
        self.risks: list[Risk] = []
        self._trusted = trusted

    def add(self, call: Call) -> None:
        kind = str(call.entry["class_name"])
        config = call.entry.get("config")
        config = config if isinstance(config, dict) else {}
        self.paths[call.name] = call.path
        if kind == "InputLayer":
            self._keep(call, kind, {}, _input_shape(config, call.name), {})
            return
        self._note_dtype(call, config)
        operation = self._operation(call, kind, config)
        if operation is not None:
            self._add_operation(call, operation, config)
            return
        risk = self._risk(call, kind)
        kind, config, notes = modern(kind, config)
        if risk is not None or kind not in KINDS:
            if risk is None and kind not in self._trusted:
                near = near_matches(kind, KINDS)
                text = f"{kind} is no layer that is known here.{near}"
                risk = Risk(call.name, "custom layer", text)
            if risk is not None:
                self.risks.append(risk)
            is_trusted = kind in self._trusted
            kept = _own_settings(config) if is_trusted else _plain_settings(config)
            self._keep(call, kind, kept, (), {})
            return
        self.repairs += [Repair(call.name, note) for note in notes]
        self._add_layer(call, kind, config)

    def _add_layer(self, call: Call, kind: str, config: Mapping[str, Any]) -> None:
        known = KINDS[kind]
        settings = check_settings(config, known.settings, layer=call.name, kind=kind)
        low, high = known.inputs
        if len(call.inputs) < low or (high is not None and len(call.inputs) > high):
            raise ModelFileError(
                f"Layer {call.name!r} ({kind}) has {len(call.inputs)} inputs; expected {low}"
                f"{' or more' if high is None else '' if high == low else f' to {high}'}."
            )
        shapes = [self.nodes[name].output_shape for name in call.inputs]
        try:
            shape, weights = _infer(known, settings, shapes)
        except (Misfit, ArithmeticError) as error:
            raise ModelFileError(f"Layer {call.name!r} ({kind}) {error}.") from None
        self._keep(call, kind, settings, shape, weights, non_trainable=known.non_trainable)

    def _operation(self, call: Call, kind: str, config: Mapping[str, Any]) -> str | None:
        """Name of the operation, where a call is no layer but one of these."""
        module = call.entry.get("module")
        is_operation = isinstance(module, str) and ".ops." in module and module.startswith("keras.")
        # The .h5 files of Keras 3 leave the module out; every layer says whether it is trainable.
        is_bare = module is None and isinstance(call.arguments, dict) and "trainable" not in config
        if is_operation or (is_bare and kind in OPERATIONS):
            if kind not in OPERATIONS:
                text = f"{kind} is no operation that is known here."
                self.risks.append(Risk(call.name, "unknown operation", text))
            return kind
        found = modern_operation(kind, config)
        if found is None:
            return None
        self.repairs.append(Repair(call.name, found[1]))
        return found[0]

    def _add_operation(self, call: Call, kind: str, config: Mapping[str, Any]) -> None:
        if kind not in OPERATIONS:
            self._keep(call, kind, {"arguments": []}, (), {})
            return
        inputs: list[str] = []

        def named(value: Any) -> str | None:
            found = reference(value)
            return None if found is None else call.references.get(found)

        try:
            arguments = _arguments(call.arguments, inputs, named)
            settings: dict[str, Any] = {"arguments": arguments}
            if config.get("axis") is not None:
                settings["axis"] = axes(config["axis"])
            if config.get("keepdims") is not None:
                settings["keepdims"] = flag(config["keepdims"])
            shapes = [self.nodes[name].output_shape for name in inputs]
            if not shapes:
                raise Misfit("takes no input")
            shape = () if () in shapes else operation_shape(kind, settings, shapes)  # type: ignore[arg-type]
        except (Misfit, ArithmeticError) as error:
            raise ModelFileError(f"Operation {call.name!r} ({kind}) {error}.") from None
        except Unfit as error:
            raise ModelFileError(
                f"Operation {call.name!r} ({kind}) has an argument that does not fit; expected "
                f"{error}."
            ) from None
        call.inputs = tuple(inputs)
        self._keep(call, kind, settings, shape, {})

    def _keep(
        self,
        call: Call,
        kind: str,
        settings: Settings,
        shape: Shape,
        weights: Mapping[str, tuple[int, ...]],
        *,
        non_trainable: tuple[str, ...] = (),
    ) -> None:
        self.nodes[call.name] = LayerNode(
            name=call.name,
            kind=kind,
            settings=settings,
            inputs=call.inputs,
            output_shape=shape,
            weights=weights,
            trainable=call.trainable,
            non_trainable=non_trainable,
            shared_with=None if call.first == call.name else call.first,
        )

    def _risk(self, call: Call, kind: str) -> Risk | None:
        """Code, or a layer that says itself that it is somebody's own."""
        if kind in _CODE:
            text = f"{kind} holds code, which would run with your rights when the file is loaded."
            return Risk(call.name, "code", text)
        module, registered = call.entry.get("module"), call.entry.get("registered_name")
        is_own = isinstance(module, str) and not f"{module}.".startswith(_MODULES)
        is_own |= isinstance(registered, str) and ">" in registered
        if is_own and kind not in self._trusted:
            place = module or registered
            text = f"{kind} is somebody's own layer, whose code is not in the file ({place})."
            return Risk(call.name, "custom layer", text)
        return None

    def _note_dtype(self, call: Call, config: Mapping[str, Any]) -> None:
        dtype = config.get("dtype")
        inner = dtype.get("config") if isinstance(dtype, dict) else None
        name = inner.get("name") if isinstance(inner, dict) else dtype
        if isinstance(name, str) and name != "float32":
            self.repairs.append(Repair(call.name, f"computed in {name[:40]}, here in float32"))


def _infer(
    known: Kind, settings: Settings, shapes: Sequence[Any]
) -> tuple[Shape, Mapping[str, tuple[int, ...]]]:
    """Shape and weights; nothing behind a layer whose shape is unknown."""
    if any(shape == () for shape in shapes):
        return (), {}
    return known.shape(settings, shapes), known.weights(settings, shapes)


def _arguments(value: Any, inputs: list[str], named: Any) -> list[Any]:
    """Arguments of an operation's call, in Keras 3's form and in tf.keras'."""
    if isinstance(value, dict):
        keywords = value.get("kwargs") or {}
        positional = value.get("args") or []
        if not isinstance(positional, list) or not isinstance(keywords, dict):
            raise Unfit("a list")
        found = [encode(each, inputs, named) for each in positional]
        rest = {key: each for key, each in keywords.items() if key not in ("name", "training")}
        return found + [encode(each, inputs, named) for each in rest.values()]
    if not isinstance(value, list):
        raise Unfit("a list")
    found = []
    for each in value:
        found.append(encode(each, inputs, named))
        if isinstance(each, list) and len(each) == 4 and isinstance(each[3], dict):
            rest = {key: item for key, item in each[3].items() if key != "name"}
            found += [encode(item, inputs, named) for item in rest.values() if item is not None]
    return found


def _input_shape(config: Mapping[str, Any], layer: str) -> Shape:
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if shape is None and isinstance(config.get("input_shape"), list):
        shape = [None, *config["input_shape"]]
    try:
        found = sizes(shape)
    except Unfit as error:
        raise ModelFileError(f"Input {layer!r} has shape {shape!r}; expected {error}.") from None
    if not found or -1 in found:
        raise ModelFileError(f"Input {layer!r} has shape {shape!r}; expected a batch axis first.")
    return (None, *found[1:])


def _own_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Of a layer whose class the user brings."""
    return {key: value for key, value in config.items() if key not in ("dtype", "name")}


def _plain_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Of a layer that is not known: for people to look at."""
    hidden = ("dtype", "function", "name", "trainable")
    return {
        key: value
        for key, value in config.items()
        if isinstance(value, _PLAIN) and key not in hidden and len(str(value)) <= 100
    }


def _memory_risks(graph: ModelGraph, max_bytes: int) -> list[Risk]:
    found = []
    if 4 * graph.parameters > max_bytes:
        text = f"Its weights take {4 * graph.parameters:,} bytes, more than {max_bytes:,}."
        found.append(Risk("", "memory", text))
    for layer in graph.layers:
        values = prod(side or 1 for side in layer.output_shape if not isinstance(side, tuple))
        if 4 * values > MAX_ACTIVATION_BYTES:
            text = f"It gives {4 * values:,} bytes a photo, more than {MAX_ACTIVATION_BYTES:,}."
            found.append(Risk(layer.name, "memory", text))
    return found


def _summed(repairs: Sequence[Repair]) -> tuple[Repair, ...]:
    """One line for what was done in many layers."""
    counts = Counter(repair.text for repair in repairs)
    first = {repair.text: repair for repair in reversed(repairs)}
    return tuple(
        repair if counts[text] == 1 else Repair(f"{repair.layer} and {counts[text] - 1} more", text)
        for text, repair in reversed(first.items())
    )
