"""From a config of any Keras to calls of layers, one after the other, nested models opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headstart.errors import ModelFileError
from headstart.modelfile.findings import Repair

MODELS = frozenset({"Functional", "Model", "Sequential"})
MAX_CALLS = 5_000
MAX_NESTING = 20

Reference = tuple[str, int, int]
"""A layer in a file, the number of its call, and the number of that call's output."""


@dataclass(slots=True)
class Call:
    """A layer where it is called.

    Attributes:
        name: unique; nested ones as `outer/inner`, later calls as `name:2`.
        first: name of the first call of the same layer; `name` itself for the first.
        entry: the layer's entry in the file, with `class_name`, `module` and `config`.
        path: names of the layer and of the models around it, as the file writes them.
        inputs: names of calls.
        arguments: of its call that no other layer gives: JSON, with references in it.
        trainable: False where it or a model around it is frozen.
    """

    name: str
    first: str
    entry: Mapping[str, Any]
    path: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    arguments: Any = None
    trainable: bool = True
    references: Mapping[Reference, str] = field(default_factory=dict)


class Opener:
    """Opens one file's models; keeps what is found on the way."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.repairs: list[Repair] = []
        self._names: dict[tuple[str, ...], str] = {}
        self._taken: set[str] = set()
        self._steps = 0
        self._times: dict[tuple[str, ...], int] = {}

    def open(self, model: Any) -> tuple[str, ...]:
        """Adds the calls of a whole model and returns the names of its outputs.

        Raises:
            ModelFileError: when the config has no form that any Keras writes.
        """
        try:
            return self._model(_entry(model), (), None, trainable=True)
        except RecursionError:
            raise ModelFileError("Its models are nested without end.") from None

    def _model(
        self,
        entry: Mapping[str, Any],
        path: tuple[str, ...],
        inputs: Sequence[str] | None,
        *,
        trainable: bool,
    ) -> tuple[str, ...]:
        if len(path) > MAX_NESTING:
            raise ModelFileError("Its models are nested without end.")
        config = entry.get("config")
        if entry["class_name"] == "Sequential":
            return self._sequential(config, path, inputs, trainable=trainable)
        return self._functional(_mapping(config, "config"), path, inputs, trainable=trainable)

    def _sequential(
        self, config: Any, path: tuple[str, ...], inputs: Sequence[str] | None, *, trainable: bool
    ) -> tuple[str, ...]:
        if isinstance(config, list):
            self._note("", "a Sequential model as a bare list of layers, as Keras 1 and 2 wrote it")
            config = {"layers": config}
        config = _mapping(config, "config")
        layers = [_entry(each) for each in _list(config.get("layers"), "layers")]
        if not layers:
            raise ModelFileError("It is a Sequential model without a layer.")
        trainable = trainable and config.get("trainable") is not False
        if layers[0]["class_name"] == "InputLayer":
            given = inputs or [self._input(layers[0], path)]
            layers = layers[1:]
        elif inputs is None:
            given = [self._input(_input_before(layers[0], config), path)]
        else:
            given = list(inputs)
        current = tuple(given)
        for layer in layers:
            if layer["class_name"] == "InputLayer":
                continue  # Teachable Machine and converters leave some in the middle
            current = self._call(layer, path, current, trainable=trainable)
        return current

    def _functional(
        self,
        config: Mapping[str, Any],
        path: tuple[str, ...],
        inputs: Sequence[str] | None,
        *,
        trainable: bool,
    ) -> tuple[str, ...]:
        trainable = trainable and config.get("trainable") is not False
        layers = {}
        for each in map(_entry, _list(config.get("layers"), "layers")):
            name = each.get("name") or _config(each).get("name")
            if not isinstance(name, str) or name in layers:
                raise ModelFileError(f"It has a layer without a name of its own: {name!r}.")
            layers[name] = each
        made: dict[Reference, str] = {}
        begun = references(config.get("input_layers"))
        for at, (name, _, _) in enumerate(begun):
            if name not in layers:
                raise ModelFileError(f"Its input {name!r} is none of its layers.")
            if inputs is not None and at >= len(inputs):
                raise ModelFileError(f"Model {'/'.join(path)!r} is called with too few inputs.")
            made[name, 0, 0] = self._input(layers[name], path) if inputs is None else inputs[at]
        self._run(layers, made, path, trainable=trainable)
        counts = {name: len(_nodes(layer)) for name, layer in layers.items()}
        outputs = [_resolve(each, made, counts) for each in references(config.get("output_layers"))]
        if not outputs or None in outputs:
            raise ModelFileError("Its outputs are none of its layers.")
        return tuple(each for each in outputs if each is not None)

    def _run(
        self,
        layers: Mapping[str, Mapping[str, Any]],
        made: dict[Reference, str],
        path: tuple[str, ...],
        *,
        trainable: bool,
    ) -> None:
        """Calls every layer once all that it takes its inputs from has been called."""
        waiting = [
            (name, number, arguments, list(_references_in(arguments)))
            for name, layer in layers.items()
            if (name, 0, 0) not in made
            for number, arguments in enumerate(_nodes(layer))
        ]
        counts = {name: len(_nodes(layer)) for name, layer in layers.items()}
        self._count(len(waiting))
        while waiting:
            later = []
            for name, number, arguments, needed in waiting:
                found = [_resolve(each, made, counts) for each in needed]
                if None in found or (number and (name, number - 1, 0) not in made):
                    later.append((name, number, arguments, needed))
                    continue
                given = tuple(each for each in found if each is not None)
                outputs = self._call(
                    layers[name], path, given, trainable=trainable, name=name,
                    arguments=arguments, known=dict(zip(needed, given, strict=True)),
                )  # fmt: skip
                made.update({(name, number, at): each for at, each in enumerate(outputs)})
            if len(later) == len(waiting):
                raise ModelFileError(f"Layer {later[0][0]!r} takes an input that no layer gives.")
            waiting = later

    def _call(
        self,
        entry: Mapping[str, Any],
        path: tuple[str, ...],
        inputs: tuple[str, ...],
        *,
        arguments: Any = None,
        known: Mapping[Reference, str] | None = None,
        trainable: bool,
        name: str | None = None,
    ) -> tuple[str, ...]:
        self._count(1)
        own = name or _config(entry).get("name") or entry.get("name")
        if not isinstance(own, str) or not own:
            own = f"{str(entry['class_name']).lower()}_{len(self.calls)}"
        where = (*path, own)
        if entry["class_name"] in MODELS:
            return self._model(entry, where, inputs, trainable=trainable)
        times = self._times[where] = self._times.get(where, 0) + 1
        first = self._name(where)
        call = Call(
            name=first if times == 1 else f"{first}:{times}",
            first=first,
            entry=entry,
            path=where,
            inputs=inputs,
            arguments=arguments,
            trainable=trainable and _config(entry).get("trainable") is not False,
            references=known or {},
        )
        return (self._add(call),)

    def _input(self, entry: Mapping[str, Any], path: tuple[str, ...]) -> str:
        own = _config(entry).get("name") or entry.get("name") or "input"
        name = self._name((*path, str(own)))
        return self._add(Call(name=name, first=name, entry=entry, path=(*path, str(own))))

    def _add(self, call: Call) -> str:
        self.calls.append(call)
        return call.name

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > 2 * MAX_CALLS:  # every call counts when it waits and when it is made
            raise ModelFileError(f"It calls more than {MAX_CALLS} layers.")

    def _name(self, where: tuple[str, ...]) -> str:
        """Joins names by "/", which therefore cannot stand in one of them, nor ":"."""
        if where not in self._names:
            parts = [part.replace("/", "_").replace(":", "_") for part in where]
            name = "/".join(parts)
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            if parts[-1] != where[-1]:
                self._note(name, f'the name {where[-1]!r}: "/" and ":" became "_"')
            self._names[where] = name
        return self._names[where]

    def _note(self, layer: str, text: str) -> None:
        self.repairs.append(Repair(layer, text))


def references(value: Any) -> list[Reference]:
    """Reads one reference or several, as `input_layers` and `output_layers` hold them."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return []
    found = reference(value)
    if found is not None:
        return [found]
    return [each for item in value for each in references(item)]


def reference(value: Any) -> Reference | None:
    """Reads `["conv", 0, 0]`, or the tensor that Keras 3 writes; None for anything else."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        config = value.get("config")
        value = config.get("keras_history") if isinstance(config, dict) else None
    if not isinstance(value, list | tuple) or len(value) not in (3, 4):
        return None
    name, call, output = value[:3]
    if not isinstance(name, str) or name == "_CONSTANT_VALUE":
        return None
    if any(isinstance(each, bool) or not isinstance(each, int) for each in (call, output)):
        return None
    return name, call, output


def _references_in(value: Any, depth: int = 0) -> Iterator[Reference]:
    found = reference(value)
    if found is not None:
        yield found
        # The fourth entry of Keras 2 holds further arguments, which may be tensors too.
        value = value[3] if isinstance(value, list) and len(value) == 4 else None
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list) and depth < MAX_NESTING:
        for each in value:
            yield from _references_in(each, depth + 1)


def _nodes(layer: Mapping[str, Any]) -> list[Any]:
    return _list(layer.get("inbound_nodes", []), "inbound_nodes")


def _resolve(
    wanted: Reference, made: Mapping[Reference, str], counts: Mapping[str, int]
) -> str | None:
    name, call, output = wanted
    if wanted not in made and call >= counts.get(name, 0):
        call -= 1  # some versions count a call that they do not write
    return made.get((name, call, output))


def _input_before(layer: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """An input for a Sequential model whose first layer says what it takes."""
    inner = layer
    while inner["class_name"] in MODELS:
        found = _config(inner).get("layers") if isinstance(inner.get("config"), dict) else None
        found = found or inner.get("config")
        if not isinstance(found, list) or not found:
            break
        inner = _entry(found[0])
    own = _config(inner)
    shape = own.get("batch_shape") or own.get("batch_input_shape")
    if shape is None and isinstance(own.get("input_shape"), list):
        shape = [None, *own["input_shape"]]
    if shape is None and own.get("input_dim"):
        shape = [None, own["input_dim"]]
    shape = shape or config.get("build_input_shape")
    if shape is None:
        raise ModelFileError("It is a Sequential model that does not say what shape it takes.")
    name = f"{own.get('name') or 'sequential'}_input"
    return {"class_name": "InputLayer", "config": {"name": name, "batch_shape": shape}}


def _entry(value: Any) -> Mapping[str, Any]:
    entry = _mapping(value, "layer")
    if not isinstance(entry.get("class_name"), str):
        raise ModelFileError("It has a layer without class_name.")
    return entry


def _config(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    config = entry.get("config")
    return config if isinstance(config, dict) else {}


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ModelFileError(f"Its {what} is no object: {str(value)[:60]!r}.")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise ModelFileError(f"Its {what} is no list: {str(value)[:60]!r}.")
    return value
