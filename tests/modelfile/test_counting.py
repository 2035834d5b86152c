"""What a network costs, against papers and sums by hand."""

import keras
import pytest
from keras import layers

from headstart.backbones.description import describe_network
from headstart.modelfile.counting import count_costs
from headstart.modelfile.from_keras import graph_of_model


def costs(*stack):
    return count_costs(graph_of_model(keras.Sequential(stack)))


@pytest.mark.parametrize(
    ("name", "millions"),
    [
        ("MobileNet", 569),  # Howard and others, 2017, table 8
        ("MobileNetV2", 300),  # Sandler and others, 2018, table 4
        ("VGG19", 19_600),  # He and others, 2016, section 3.3
    ],
)
def test_multiply_adds_are_those_of_the_papers(name, millions) -> None:
    found = count_costs(describe_network(name)).multiply_adds
    assert found == pytest.approx(millions * 1e6, rel=0.005)


def test_every_kind_of_convolution_is_counted_by_where_its_kernel_is_used() -> None:
    image = keras.Input((10, 10, 8))
    for layer, expected in (
        (layers.Conv2D(6, 3, strides=2, padding="same"), 5 * 5 * 3 * 3 * 8 * 6),
        (layers.Conv2D(6, 3, groups=2, padding="same"), 10 * 10 * 3 * 3 * 4 * 6),
        (layers.DepthwiseConv2D(3, padding="same"), 10 * 10 * 3 * 3 * 8),
        (layers.SeparableConv2D(6, 3), 8 * 8 * (3 * 3 * 8 + 8 * 6)),
        (layers.Conv2DTranspose(6, 3, strides=2), 10 * 10 * 3 * 3 * 8 * 6),
        (layers.Dense(6), 10 * 10 * 8 * 6),
        (layers.EinsumDense("abcd,de->abce", output_shape=(10, 10, 6)), 10 * 10 * 8 * 6),
    ):
        graph = graph_of_model(keras.Model(image, layer(image)))
        assert count_costs(graph).layers[1].multiply_adds == expected, layer.name


def test_attention_counts_its_projections_and_every_pair_of_places() -> None:
    tokens = keras.Input((5, 8))
    attended = layers.MultiHeadAttention(2, 3)(tokens, tokens)
    found = count_costs(graph_of_model(keras.Model(tokens, attended))).multiply_adds
    assert found == 5 * 4 * (8 * 2 * 3) + 2 * 5 * 5 * (2 * 3)


def test_normalisation_and_lookups_are_no_multiply_adds() -> None:
    found = costs(keras.Input((4,)), layers.Embedding(100, 8), layers.LayerNormalization())
    assert found.multiply_adds == 0
    assert found.parameters == 816


def test_training_keeps_all_outputs_and_prediction_what_is_still_needed() -> None:
    image = keras.Input((4, 4, 1), name="image")
    wide = layers.Conv2D(8, 1, name="wide")(image)
    narrow = layers.Conv2D(1, 1, name="narrow")(wide)
    found = count_costs(graph_of_model(keras.Model(image, layers.Add()([image, narrow]))))
    assert found.activation_bytes == 4 * 16 * (1 + 8 + 1 + 1)
    # While `narrow` is computed the image waits for the sum.
    assert found.peak_activation_bytes == 4 * 16 * (1 + 8 + 1)


def test_an_open_size_makes_counts_unknown_but_not_parameters() -> None:
    found = costs(keras.Input((None, None, 3)), layers.Conv2D(4, 3), layers.GlobalMaxPooling2D())
    assert found.parameters == 112
    assert (found.multiply_adds, found.activation_bytes, found.peak_activation_bytes) == (
        None, None, None,
    )  # fmt: skip


def test_the_summary_is_plain_values_for_json() -> None:
    values = costs(keras.Input((4,)), layers.Dense(2, name="answer")).to_dict()
    assert values["layers"][1] == {
        "name": "answer", "kind": "Dense", "output_shape": (None, 2), "parameters": 10,
        "trainable": True, "multiply_adds": 8, "activation_bytes": 8,
    }  # fmt: skip
