"""What people may write behind --head."""

import pytest

from headstart.errors import ArgumentError
from headstart.heads.spec import HeadSpec, parse_head


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("softmax", HeadSpec("softmax")),
        ("sigmoid", HeadSpec("sigmoid")),
        ("mlp:256,128", HeadSpec("mlp", (256, 128))),
        ("my.heads:wide", HeadSpec("own", function="my.heads:wide")),
        ("heads/mine.py:wide", HeadSpec("own", function="heads/mine.py:wide")),
    ],
)
def test_every_kind_of_head_is_understood(text: str, spec: HeadSpec) -> None:
    assert parse_head(text, class_count=2) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("softmx", "head='softmx' is unknown"),
        ("mlp:", "expected mlp: and the units"),
        ("mlp:12,0", "expected mlp: and the units"),
        ("mlp:a", "expected mlp: and the units"),
        ("", "head='' is unknown"),
    ],
)
def test_anything_else_is_refused_with_what_is_possible(text: str, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        parse_head(text)


def test_a_sigmoid_for_three_classes_is_refused() -> None:
    with pytest.raises(ArgumentError, match="these photos have 3"):
        parse_head("sigmoid", class_count=3)
