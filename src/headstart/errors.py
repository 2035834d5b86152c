"""The one tree of errors: each knows its exit code and its HTTP status.

Every message names the argument, says what came, what was expected and how to mend it.
`cli` turns these into one line and an exit code, `serving` into an HTTP answer; nothing else
catches them.
"""

import difflib
from collections.abc import Iterable


class HeadstartError(Exception):
    """Anything that a person can mend.

    Attributes:
        exit_code: what the command line ends with.
        http_status: what the server answers with.
    """

    exit_code = 2
    http_status = 500


class ArgumentError(HeadstartError, ValueError):
    """An argument, option or recipe field that does not fit."""

    http_status = 400


class PhotosError(HeadstartError):
    """The photos as a whole cannot be used (no photo, one class, unreadable table)."""

    http_status = 400


class PhotoError(HeadstartError):
    """One photo cannot be used; the message is the reason it is set aside."""

    http_status = 415


class ArchiveError(PhotosError):
    """An archive that is broken, or that would be unsafe to extract."""


class WeightsError(HeadstartError):
    """A weights file that is missing, damaged or of another network."""


class ModelFileError(HeadstartError):
    """A model file that is damaged, dangerous, or made of what this package does not know."""

    http_status = 400


class EngineError(HeadstartError):
    """The frozen pass cannot be run on this machine as asked."""


class TrainingError(HeadstartError):
    """A training that came to nothing worth keeping; the message says what to try."""


class RunError(HeadstartError):
    """A run folder that is missing, damaged or of an unknown format."""


class MissingPackageError(HeadstartError, ImportError):
    """An optional package is needed; the message holds the pip command."""


class DiskFullError(HeadstartError, OSError):
    """No room left where something had to be written; nothing half-written stays."""


def near_matches(word: str, known: Iterable[str]) -> str:
    """Returns a sentence with the names nearest to a mistyped one, or an empty string.

    Args:
        word: what was typed; upper and lower case do not matter.
        known: every valid name.

    Example:
        >>> near_matches("mobilnetv2", ["MobileNetV2", "VGG16"])
        ' Did you mean MobileNetV2?'
    """
    by_lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=3, cutoff=0.6)
    if not found:
        return ""
    return f" Did you mean {' or '.join(by_lower[name] for name in found)}?"
