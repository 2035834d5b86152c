"""Guesses where the class stands in file names such as Kaggle's own `cat.0.jpg`."""

import re
from collections import Counter
from collections.abc import Sequence

_PATTERNS = (
    r"^([a-z]+)\.",
    r"^([A-Za-z]+)\.",
    r"^(.+?)[._ -]*\d+\.",
    r"^([A-Za-z]+)[._ -]",
)
"""Simplest first; the third keeps `american_bulldog_12.jpg` whole."""


def suggest_label_pattern(names: Sequence[str]) -> tuple[str, list[str]] | None:
    r"""Returns a value for `--label-from-name` and the classes it would give, or None.

    A pattern is suggested when at least nine names in ten match it, it gives at least two classes,
    and each class has two photos or more.

    Args:
        names: file names without folders.

    Example:
        >>> suggest_label_pattern(["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"])
        ('^([a-z]+)\\.', ['cat', 'dog'])
        >>> suggest_label_pattern(["IMG_1.jpg", "IMG_2.jpg"]) is None
        True
    """
    for pattern in _PATTERNS:
        matches = (re.search(pattern, name) for name in names)
        counts = Counter(match[1] for match in matches if match is not None)
        enough = counts.total() >= 0.9 * len(names)
        if enough and len(counts) >= 2 and min(counts.values()) >= 2:
            return pattern, sorted(counts)
    return None
