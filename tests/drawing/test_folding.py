"""Modules are named as in their papers, and what repeats is drawn once."""

import pytest

from headstart.drawing.boxes import make_boxes
from headstart.drawing.folding import fold, signature
from headstart.drawing.naming import boxes_of, parts_of
from headstart.drawing.structure import Module, Repeated, find_structure


def folded(graph):
    return fold(find_structure(make_boxes(graph)))


def modules(graph) -> list[tuple[str, int]]:
    """Name and number of the modules from top to bottom."""
    found = []
    for item in folded(graph).items:
        if isinstance(item, Repeated):
            first = item.copies[0]
            found.append((first.name if isinstance(first, Module) else "", len(item.copies)))
        elif isinstance(item, Module):
            found.append((item.name, 1))
    return found


def inside(item) -> list[str]:
    """Names of all modules in a part."""
    own = [item.name] if isinstance(item, Module) else []
    return own + [name for part in parts_of(item) for name in inside(part)]


def test_resnet_50_is_convolution_and_identity_blocks(described) -> None:
    # Table 1 of He and others, 2016: 3, 4, 6 and 3 blocks, the first of each with a convolution.
    expected = []
    for count in (3, 4, 6, 3):
        expected += [("convolution block", 1), ("identity block", count - 1)]
    assert modules(described("ResNet50")) == expected


def test_resnext_50_has_grouped_convolutions_in_its_blocks(described) -> None:
    graph = described("ResNeXt50")
    assert [count for _, count in modules(graph)] == [1, 2, 1, 3, 1, 5, 1, 2]
    blocks = [item for item in folded(graph).items if isinstance(item, Module)]
    assert all("grouped convolution" in inside(block) for block in blocks)


@pytest.mark.parametrize(
    ("name", "module", "counts"),
    [
        ("DenseNet121", "densely connected layer", [6, 12, 24, 16]),
        ("ConvNeXtTiny", "residual block", [3, 3, 9, 3]),
        ("InceptionV4", "inception module", [4, 7, 3]),
        ("InceptionResNetV2", "inception-residual block", [10, 20, 9, 1]),
        ("Xception", "residual block", [1, 1, 1, 8, 1]),
        ("InceptionV1", "inception module", [1] * 9),
        ("NASNetLarge", "normal cell", [1, 5, 1, 5, 1, 5]),
        ("MobileNet", "depthwise separable convolution", [1, 1, 1, 1, 1, 1, 5, 1, 1]),
    ],
)
def test_blocks_are_counted_as_in_the_paper(described, name, module, counts) -> None:
    assert [count for found, count in modules(described(name)) if found == module] == counts


def test_mobilenet_v2_has_inverted_bottlenecks_with_and_without_a_skip(described) -> None:
    found = modules(described("MobileNetV2"))
    # Table 2 of Sandler and others, 2018: 17 of them, the first without expansion.
    assert sum(count for name, count in found if name.startswith("inverted")) == 16
    assert found[0] == ("depthwise separable convolution", 1)


def test_squeeze_and_excitation_is_named_inside_its_block(described) -> None:
    item = next(
        each
        for each in folded(described("MobileNetV3Small")).items
        if "squeeze and excitation" in inside(each)
    )
    assert inside(item)[0] != "squeeze and excitation"


def test_a_thousand_layers_fold_into_a_few_parts(described) -> None:
    graph = described("NASNetLarge")
    assert len(graph.layers) == 1041
    assert len(folded(graph).items) <= 20


def test_folding_loses_nothing(described) -> None:
    graph = described("InceptionResNetV2")
    whole = sum(box.parameters for item in folded(graph).items for box in boxes_of(item))
    assert whole == graph.parameters


def test_wide_and_deep_paths_are_named(described) -> None:
    assert modules(described("wide_and_deep")) == [("wide and deep paths", 1)]


def test_equal_boxes_fold_only_when_they_are_many(network) -> None:
    def chain(count):
        lines = [f"conv{at}: {f'conv{at - 1}' if at else 'in1'}" for at in range(count)]
        return folded(network("in1:", *lines)).items

    assert len(chain(3)) == 4
    _, repeated = chain(6)
    assert isinstance(repeated, Repeated)
    assert len(repeated.copies) == 6


def test_a_pattern_of_several_parts_folds_as_a_whole(network) -> None:
    lines, last = ["in1:"], "in1"
    for at in range(3):
        lines += [f"point{at}: {last}", f"conv{at}: point{at}", f"add{at}: conv{at} point{at}"]
        last = f"add{at}"
    _, repeated = folded(network(*lines)).items
    assert len(repeated.copies) == 3
    assert inside(repeated.copies[0]) == ["repeated part", "identity block"]


def test_other_settings_make_another_structure(network) -> None:
    one, other = (
        signature(find_structure(make_boxes(network("in1:", f"{kind}1: in1"))))
        for kind in ("conv", "half")
    )
    assert one != other


def test_frozen_and_trainable_blocks_are_not_folded_together(network) -> None:
    lines = [f"conv{at}: {f'conv{at - 1}' if at else 'in1'}" for at in range(8)]
    graph = network("in1:", *lines)
    frozen = {f"conv{at}" for at in range(4)}
    items = fold(find_structure(make_boxes(graph, frozen))).items
    assert [len(item.copies) for item in items[1:]] == [4, 4]
