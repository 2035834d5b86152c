"""The examples run, and show what they say."""

import runpy
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def test_reusing_the_lower_layers_of_a_model_leaves_it_as_it_was(capsys) -> None:
    """Five seeds here; the gain over ten, with its interval, stands in the example's header."""
    found = runpy.run_path(str(EXAMPLES / "reuse_digits.py"))["main"](seeds=5)
    assert found["before"] == found["after"]
    assert found["before"][1] > 0.97
    assert found["gain"] + found["half"] > 0, "reuse is not worse than scratch"
    printed = capsys.readouterr().out
    assert "same weights: True" in printed
    assert "(paired, 95 %)" in printed
