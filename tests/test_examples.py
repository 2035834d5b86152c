"""The examples run, and show what they say."""

import runpy
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_reusing_the_lower_layers_of_a_model_helps_and_leaves_it_as_it_was(capsys) -> None:
    found = runpy.run_path(str(EXAMPLES / "reuse_digits.py"))["main"](seeds=10)
    assert found["before"] == found["after"]
    assert found["gain"] - found["half"] > 0, "the interval of the gain lies above nothing"
    assert np.mean(found["scores"]["reuse"]) > 0.9
    assert "same weights: True" in capsys.readouterr().out
