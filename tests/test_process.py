"""Calls run in a child with its own Keras; errors come back as what they are."""

import os
import signal

import pytest

from headstart.errors import ArgumentError, EngineError
from headstart.process import KerasHere, KerasProcess, keras_process


def test_calls_are_answered_in_order() -> None:
    with keras_process("none") as child:
        futures = [child.call("os.path:basename", p=f"a/{number}") for number in range(20)]
        assert [future.result() for future in futures] == [str(number) for number in range(20)]


def test_our_errors_keep_their_class_and_words_across_the_process() -> None:
    with keras_process("none") as child:
        future = child.call("headstart.backbones.catalogue:find_backbone", name="VGG17")
        with pytest.raises(ArgumentError, match=r"VGG17.+Did you mean VGG1"):
            future.result()


def test_what_the_callee_prints_does_not_disturb_the_answers() -> None:
    with keras_process("none") as child:
        assert child.call("builtins:print", sep="noise").result() is None
        assert child.call("os.path:basename", p="a/b").result() == "b"


def test_a_killed_child_fails_its_calls_with_a_sentence() -> None:
    with keras_process("none") as child:
        pid = child.call("os:getpid").result()
        waiting = child.call("time:sleep")
        with pytest.raises(EngineError, match="TypeError"):
            waiting.result()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(EngineError, match="ended early"):
            child.call("os:getpid").result()


def test_a_child_that_was_never_used_is_never_started() -> None:
    child = KerasProcess("none")
    child.close()


def test_calls_in_this_process_have_the_same_face() -> None:
    assert KerasHere().call("os.path:basename", p="a/b").result() == "b"
    with pytest.raises(ArgumentError):
        KerasHere().call("headstart.backbones.catalogue:find_backbone", name="x").result()
