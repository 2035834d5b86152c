"""The thousand classes of ImageNet, in the order of every published network's output."""

import json
from typing import NamedTuple

from headstart.backbones.download import download, keras_home
from headstart.errors import DiskFullError, WeightsError
from headstart.progress import Progress, Silent

CLASS_INDEX_FILE = "imagenet_class_index.json"
"""Name under KERAS_HOME/models, where `keras.applications` keeps it too."""

_ADDRESS = f"https://storage.googleapis.com/download.tensorflow.org/data/{CLASS_INDEX_FILE}"
_MD5 = "c2c37ea517e94d9795004a39431a14cb"
_COUNT = 1000


class ImageNetClass(NamedTuple):
    """One class; two pairs of classes share a name, so that only the id is unique."""

    class_id: str
    name: str


def imagenet_classes(progress: Progress | None = None) -> tuple[ImageNetClass, ...]:
    """Returns the classes, from the folder where Keras keeps downloads, else from the network.

    Args:
        progress: told how much of a download has come.

    Raises:
        WeightsError: when the file is not here and cannot be downloaded, or is damaged.
    """
    file = keras_home() / "models" / CLASS_INDEX_FILE
    if not file.is_file():
        try:
            station = "class names, MB"
            download(_ADDRESS, file, expected=_MD5, station=station, progress=progress or Silent())
        except DiskFullError:
            raise
        except WeightsError as error:
            raise WeightsError(
                f"The names of ImageNet's classes are not on this machine and cannot be downloaded "
                f"({error}). Download {_ADDRESS} on a machine with a network and put it at {file}."
            ) from error
    try:
        table = json.loads(file.read_text("utf-8"))
        return tuple(ImageNetClass(*map(str, table[str(number)])) for number in range(_COUNT))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{file} is damaged ({type(error).__name__}: {error}). Delete it, or download "
            f"{_ADDRESS} again and put it there."
        ) from error
