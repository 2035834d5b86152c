"""A model file of somebody's as a backbone: cut, given photos of its own size, and flat.

What comes out is what `surgery.build_frozen` makes of a backbone of the catalogue, so everything
behind it (frozen pass, plans, join, run folder) is the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.backbones.catalogue import Backbone
from headstart.backbones.frozen import FrozenSpec
from headstart.backbones.random_weights import draw_weights
from headstart.backbones.surgery import POOLING, preprocess
from headstart.errors import ArgumentError, near_matches
from headstart.modelfile.cutting import CutPlace, ancestors, block_ends, find_place
from headstart.modelfile.expectation import MODES, Expectation
from headstart.modelfile.graph import LayerNode, ModelGraph
from headstart.modelfile.inspection import inspect_model
from headstart.modelfile.loading import arrays_of, refuse_risks
from headstart.modelfile.naming import flat_names

if TYPE_CHECKING:
    import keras

    from headstart.modelfile.inspection import ModelReport

RESERVED = frozenset({"features", "grey", "image", "luminance", "preprocessing", "resized"})
"""Names that layers around the network get."""

LUMINANCE = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey picture: ITU-R BT.601, as Pillow and Keras convert."""

_KERAS_MODES = {"0..1": "unit", "-1..1": "tf", "caffe": "caffe", "torch": "torch", "none": "none"}
_GREY_MODES = ("0..1", "-1..1", "none")


def read_foreign(file: str | Path) -> tuple[ModelReport, ModelGraph]:
    """Reads a model file that is to serve as a backbone, and audits it.

    Raises:
        ModelFileError: when it is damaged, dangerous, or of weights alone.
        ArgumentError: when it takes no photos.
    """
    report = inspect_model(file)
    if report.graph is None:
        from headstart.modelfile.contents import read_contents
        from headstart.modelfile.reading import assemble_contents

        assemble_contents(read_contents(file))  # says what weights alone are good for
    assert report.graph is not None
    if report.risks:
        from headstart.modelfile.assemble import Assembled

        refuse_risks(file, Assembled(report.graph, (), report.risks, {}))
    picture_of(report.graph, file)
    return report, report.graph


def picture_of(graph: ModelGraph, file: str | Path) -> tuple[int | None, int | None, int]:
    """Returns height, width and channels that a network takes.

    Raises:
        ArgumentError: when it takes something else than one picture, grey or of three colours.
    """
    shapes = [_single(node) for node in graph.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (1, 3):
        found = ", ".join(str(shape[1:]) for shape in shapes)
        raise ArgumentError(
            f"file={str(file)!r} takes {found or 'nothing'}. Photos fit a network with one input "
            "of (height, width, 3), or (height, width, 1) for grey ones."
        )
    return shapes[0][1], shapes[0][2], shapes[0][3]


def modes_for(graph: ModelGraph, file: str | Path) -> tuple[str, ...]:
    """Returns the preprocessing that a network can take: some need three colours."""
    return MODES if picture_of(graph, file)[2] == 3 else _GREY_MODES


def settle_mode(
    given: str | None, pixels: Expectation, *, graph: ModelGraph, file: str | Path
) -> str:
    """Says how photos are prepared: as the graph itself says, or as a person says; never a guess.

    Raises:
        ArgumentError: when neither does, or both do and differ.
    """
    if given is None and pixels.is_certain and pixels.mode is not None:
        return pixels.mode
    possible = modes_for(graph, file)
    if given is None:
        guess = f" It is probably {pixels.mode}." if pixels.mode else ""
        raise ArgumentError(
            f"preprocess is missing, and {str(file)!r} does not say what it expects.{guess} "
            f"{pixels.reason} Say --preprocess {'|'.join(possible)}, or --preprocess probe to "
            "compare them."
        )
    if pixels.is_certain and given != pixels.mode:
        raise ArgumentError(
            f"preprocess={given!r} would prepare photos twice. {pixels.reason} Leave --preprocess "
            "out."
        )
    if given not in possible:
        raise ArgumentError(
            f"preprocess={given!r} does not go with this network.{near_matches(given, possible)} "
            f"Expected {' or '.join(possible)}: it takes "
            f"{picture_of(graph, file)[2]} channels."
        )
    return given


def side_of(graph: ModelGraph, file: str | Path, image_size: int | None) -> int:
    """Returns the side of the square photos that a network is given.

    Raises:
        ArgumentError: when the network leaves its size open and nobody says one, or has another.
    """
    height, width, _ = picture_of(graph, file)
    if height is None or width is None:
        if image_size is None:
            raise ArgumentError(
                f"image_size is missing: {str(file)!r} takes pictures of any size. Give the one it "
                "was trained on: --image-size PIXELS."
            )
        return image_size
    side = max(height, width)
    if image_size not in (None, side):
        raise ArgumentError(
            f"image_size={image_size} does not fit {str(file)!r}, which takes {height} x {width}. "
            "Leave --image-size out."
        )
    return side


def foreign_backbone(file: Path, *, cut: str, mode: str | None) -> Backbone:
    """Describes a model file in the words of the catalogue; Keras is not needed.

    Args:
        file: of the model.
        cut: where to cut it, or the layer after which.
        mode: one of `headstart.modelfile.expectation.MODES`; None where it is not known yet.

    Raises:
        ModelFileError: when it cannot be used.
        ArgumentError: when there is no such layer.
    """
    report, graph = read_foreign(file)
    place = find_place(graph, cut)
    kept = ancestors(graph, place.node)
    height, width, _ = picture_of(graph, file)
    names = flat_names(graph, taken=RESERVED)
    return Backbone(
        name=file.stem,
        family="own",
        builder="",
        module="",
        image_size=max(height or 0, width or 0),
        minimum_size=max(height or 1, width or 1),
        preprocessing=_KERAS_MODES.get(mode or "none", "none"),
        feature_width=int(place.shape[-1] or 0),
        parameters=graph.parameters,
        backbone_parameters=sum(node.parameters for node in graph.layers if node.name in kept),
        size_mb=round(report.size / 2**20, 2),
        top_1=None,
        top_5=None,
        depth=None,
        licence="that of the model file",
        paper="",
        cut_points=tuple(names[node] for node in block_ends(graph, place.node)),
        weights_file=file.name,
        weights_file_top=file.name,
        weights_url="",
        weights_hash=report.sha256,
    )


def build_foreign(spec: FrozenSpec) -> keras.Model:
    """Builds the lower part of a model file: RGB 0..255 (S, S, 3) in, features out.

    Args:
        spec: with `cut`, `preprocessing` and the file.

    Returns:
        A flat functional model with no trainable weight, as `surgery.build_frozen` returns one.

    Raises:
        ModelFileError: when the file is not what it was when it was inspected.
    """
    import keras

    image = keras.Input((spec.image_size, spec.image_size, 3), name="image", dtype="float32")
    lower = build_on(spec, image, upto=spec.cut)
    frozen = keras.Model(image, pooled(lower.outputs[0], spec.pooling), name="backbone")
    if spec.weights == "none":
        draw_weights(frozen, spec.seed)
    frozen.trainable = False
    return frozen


def build_on(spec: FrozenSpec, image: keras.KerasTensor, *, upto: str | None) -> keras.Model:
    """Builds a model file, or its lower part, on RGB photos of 0..255."""
    from headstart.modelfile.building import build
    from headstart.modelfile.contents import MAX_BYTES, read_with_weights
    from headstart.modelfile.reading import assemble_contents

    file = Path(spec.weights_path or "")
    with read_with_weights(file, max_bytes=MAX_BYTES) as contents:
        assembled = assemble_contents(contents)
        refuse_risks(file, assembled)
        graph = assembled.graph
        arrays = None if spec.weights == "none" else arrays_of(contents, assembled)
        prepared = prepare(image, picture_of(graph, file), mode=spec.preprocessing or "none")
        node = None if upto is None else find_place(graph, upto).node
        names = flat_names(graph, taken=RESERVED)
        return build(graph, arrays, upto=node, tensors=[prepared], names=names)


def prepare(
    image: keras.KerasTensor, picture: tuple[int | None, int | None, int], *, mode: str
) -> keras.KerasTensor:
    """Turns square RGB photos of 0..255 into what a network takes, with layers of Keras' own."""
    import keras

    height, width, channels = picture
    if height is not None and width is not None and (height, width) != tuple(image.shape[1:3]):
        resize = keras.layers.Resizing(height, width, antialias=True, name="resized")
        image = resize(image)
    if channels == 1:
        weighted = keras.layers.Rescaling(list(LUMINANCE), name="luminance")(image)
        image = keras.ops.sum(weighted, axis=-1, keepdims=True)
        image._keras_history.operation.name = "grey"
    return preprocess(image, _KERAS_MODES[mode])


def pooled(tensor: Any, pooling: str) -> Any:
    """Turns what comes out at the cut into features (N, D); a row stays as it is."""
    import keras

    if pooling not in POOLING:
        raise ArgumentError(
            f"pooling={pooling!r} is unknown.{near_matches(pooling, POOLING)} "
            f"Expected {', '.join(POOLING)}."
        )
    layers: Any = keras.layers
    if len(tensor.shape) == 2:
        return layers.Activation("linear", name="features")(tensor)
    if len(tensor.shape) != 4 or pooling == "flatten":
        return layers.Flatten(name="features")(tensor)
    pool = layers.GlobalMaxPooling2D if pooling == "max" else layers.GlobalAveragePooling2D
    return pool(name="features")(tensor)


def describe_cut(report: ModelReport, graph: ModelGraph, place: CutPlace) -> str:
    """Says in a sentence what there was, what goes, and what stays."""
    kept = [node for node in graph.layers if node.name in ancestors(graph, place.node)]
    parameters = sum(node.parameters for node in kept)
    gone = [name for name in place.removed if "InputLayer" not in name]
    names = flat_names(graph)
    shown = ", ".join(names[name] for name in gone[:4]) + (", ..." if len(gone) > 4 else "")
    size = " x ".join("any" if side is None else str(side) for side in place.shape)
    return (
        f"{report.file.name}: {len(graph.layers)} layers, {graph.parameters:,} parameters. Cut "
        f"after {names[place.node]} ({size}): {len(gone)} go ({shown}), {len(kept)} with "
        f"{parameters:,} parameters stay."
    )


def _single(node: LayerNode) -> tuple[int | None, ...]:
    return tuple(side for side in node.output_shape if not isinstance(side, tuple))
