"""Lets mkdocstrings show our `Example:` sections as code; it knows the plural only."""

from typing import Any

import griffe


class OneExample(griffe.Extension):
    """Reads `Example:` as `Examples:`."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Changes the docstring of every object before it is parsed."""
        if obj.docstring is not None:
            obj.docstring.value = obj.docstring.value.replace("Example:\n", "Examples:\n")
