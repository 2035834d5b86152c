"""What follows what, what runs side by side, and where paths meet."""

from headstart.drawing.boxes import Box, make_boxes
from headstart.drawing.folding import fold
from headstart.drawing.naming import boxes_of
from headstart.drawing.structure import Aside, Series, Split, Tangle, find_structure


def structure(graph) -> Series:
    return find_structure(make_boxes(graph))


def names(item) -> list[str]:
    return [box.main.name for box in boxes_of(item)]


def test_a_convolution_carries_its_padding_normalisation_and_activation(network) -> None:
    graph = network("in1:", "pad1: in1", "conv1: pad1", "bn1: conv1", "relu1: bn1", "pool1: relu1")
    boxes = make_boxes(graph)
    assert [box.title for box in boxes] == ["Input", "Conv 3×3", "Max pool 2×2, stride 2"]
    assert [layer.name for layer in boxes[1].layers] == ["pad1", "conv1", "bn1", "relu1"]


def test_what_comes_before_a_convolution_is_on_its_box_too(network) -> None:
    graph = network("in1:", "bn1: in1", "relu1: bn1", "conv1: relu1", "add1: conv1 in1")
    box = make_boxes(graph)[1]
    assert [layer.name for layer in box.before] == ["bn1", "relu1"]


def test_an_activation_that_two_paths_take_has_a_box_of_its_own(network) -> None:
    graph = network("in1:", "bn1: in1", "relu1: bn1", "conv1: relu1", "conv2: relu1",
                    "add1: conv1 conv2")  # fmt: skip
    assert [box.main.name for box in make_boxes(graph)] == ["in1", "bn1", "conv1", "conv2", "add1"]


def test_no_layer_is_lost_and_none_is_drawn_twice(described) -> None:
    for name in ("ResNet50", "DenseNet121", "InceptionV4", "NASNetMobile", "ConvNeXtTiny"):
        graph = described(name)
        drawn = [
            layer.name for box in boxes_of(structure(graph)) for layer in box.layers
        ]  # fmt: skip
        assert sorted(drawn) == sorted(layer.name for layer in graph.layers), name


def test_no_layer_is_lost_whatever_the_network(any_network) -> None:
    for seed in range(200):
        graph = any_network(seed)
        whole = fold(structure(graph))
        drawn = [layer.name for box in boxes_of(whole) for layer in box.layers]
        assert sorted(drawn) == sorted(layer.name for layer in graph.layers), seed


def test_a_skip_connection_is_an_empty_path_beside_the_others(network) -> None:
    graph = network("in1:", "conv1: in1", "conv2: conv1", "conv3: conv2", "add1: conv1 conv3",
                    "mean1: add1")  # fmt: skip
    split = structure(graph).items[2]
    assert isinstance(split, Split)
    assert [names(branch) for branch in split.branches] == [["conv2", "conv3"], []]
    assert split.join is not None
    assert split.join.main.name == "add1"


def test_paths_stand_in_the_order_in_which_they_are_joined(network) -> None:
    graph = network("in1:", "conv1: in1", "pool1: in1", "conv2: in1", "cat1: conv2 conv1 pool1")
    split = structure(graph).items[1]
    assert [names(branch) for branch in split.branches] == [["conv2"], ["conv1"], ["pool1"]]


def test_paths_are_found_inside_paths(network) -> None:
    graph = network("in1:", "conv1: in1", "conv2: conv1", "conv3: conv1", "cat1: conv2 conv3",
                    "pool1: in1", "cat2: cat1 pool1")  # fmt: skip
    outer = structure(graph).items[1]
    inner = outer.branches[0].items[1]
    assert names(inner) == ["conv2", "conv3", "cat1"]


def test_a_u_net_is_skip_connections_inside_skip_connections(network) -> None:
    graph = network(
        "in1:", "conv1: in1", "pool1: conv1", "conv2: pool1", "pool2: conv2", "conv3: pool2",
        "cat1: conv2 conv3", "conv4: cat1", "cat2: conv1 conv4", "conv5: cat2",
    )  # fmt: skip
    outer = structure(graph).items[2]
    assert outer.join.main.name == "cat2"
    assert outer.branches[1] == Series() or not outer.branches[1].items
    inner = next(item for item in outer.branches[0].items if isinstance(item, Split))
    assert inner.join.main.name == "cat1"


def test_what_leads_to_another_output_hangs_aside(network) -> None:
    graph = network("in1:", "conv1: in1", "mean1: conv1", "conv2: conv1", "conv3: conv2")
    aside = structure(graph).items[1]
    assert isinstance(aside, Aside)
    assert names(aside.item) == ["conv1"]
    assert [names(series) for series in aside.side] == [["mean1"]]


def test_several_inputs_stand_side_by_side(network) -> None:
    graph = network("in1:", "in2:", "dense1: in2", "cat1: in1 dense1", "dense2: cat1")
    split = structure(graph).items[0]
    assert not split.has_fork
    assert [names(branch) for branch in split.branches] == [["in1"], ["in2", "dense1"]]


def test_paths_that_cross_are_a_tangle_and_say_what_feeds_on_what(network) -> None:
    graph = network("in1:", "conv1: in1", "conv2: in1", "add1: conv1 conv2", "mul1: conv1 conv2",
                    "cat1: add1 mul1")  # fmt: skip
    tangle = structure(graph).items[1]
    assert isinstance(tangle, Tangle)
    assert [names(node) for node in tangle.nodes] == [["conv1"], ["conv2"], ["add1"], ["mul1"]]
    assert set(tangle.links) == {(-1, 0), (-1, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 4), (3, 4)}


def test_cells_that_feed_on_the_two_before_them_are_parts_of_their_own(described) -> None:
    items = structure(described("NASNetMobile")).items
    cells = [item for item in items if isinstance(item, Tangle)]
    # Two of the stem, three times four normal ones, two reductions: Zoph and others, 2018, A.7.
    assert len(cells) == 2 + 3 * 4 + 2
    assert [cell.ports for cell in cells][:3] == [1, 2, 2]


def test_a_box_knows_its_neighbours_only_once(network) -> None:
    graph = network("in1:", "conv1: in1", "add1: conv1 conv1")
    box: Box = make_boxes(graph)[2]
    assert box.inputs == (1,)
