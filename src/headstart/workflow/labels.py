"""The classes of other photos in the order that a run knows them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headstart.data.index import ImageIndex
from headstart.errors import ArgumentError, near_matches


def labels_in_run(index: ImageIndex, class_names: Sequence[str]) -> NDArray[np.int32]:
    """Returns labels (N,) as positions in a run's class names.

    Raises:
        ArgumentError: when the photos have a class that the run does not know.
    """
    place = {name: number for number, name in enumerate(class_names)}
    unknown = [name for name in index.class_names if name not in place]
    if unknown:
        raise ArgumentError(
            f"photos have the class {unknown[0]!r}, which this classifier does not know."
            f"{near_matches(unknown[0], class_names)} It knows {', '.join(class_names[:10])}."
        )
    return np.array([place[name] for name in index.class_names], np.int32)[index.labels]
