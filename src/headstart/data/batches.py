"""Photos as batches of pixels: from the cache of decoded photos, or decoded on the way."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headstart.data.augment import View
from headstart.data.bounded import bounded_map
from headstart.data.decode import decode, pillow_warnings_ignored
from headstart.data.index import ImageIndex
from headstart.data.scan import pixel_store
from headstart.data.store import CachePlace, Store
from headstart.errors import PhotosError
from headstart.progress import processors


def photo_batches(
    index: ImageIndex,
    positions: Sequence[int] | NDArray[np.int64],
    *,
    image_size: int,
    batch_size: int,
    place: CachePlace,
    view: View | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Yields photos in batches, prepared by threads that run a little ahead of the consumer.

    Args:
        index: the photos.
        positions: which of them, in this order.
        image_size: side of the square in pixels.
        batch_size: photos a batch; the last one may be shorter.
        place: where decoded photos are kept.
        view: which look at each photo; None for the photos as they are.

    Yields:
        uint8 arrays (B, image_size, image_size, 3), RGB, 0..255.

    Raises:
        PhotosError: when a file is no longer what it was when it was checked.
    """
    parts = [positions[i : i + batch_size] for i in range(0, len(positions), batch_size)]
    store = pixel_store(place, image_size)
    prepare = partial(_batch, index=index, store=store, image_size=image_size, view=view)
    with pillow_warnings_ignored():
        yield from bounded_map(prepare, parts, threads=processors(), ahead=4 * processors())


def _batch(
    positions: Sequence[int],
    *,
    index: ImageIndex,
    store: Store,
    image_size: int,
    view: View | None,
) -> NDArray[np.uint8]:
    batch = np.empty((len(positions), image_size, image_size, 3), np.uint8)
    for place, position in enumerate(positions):
        digest = index.digests[position]
        row = store.row(digest)
        batch[place] = _decode_again(index, position, image_size) if row is None else row
        if view is not None:
            batch[place] = view.apply(batch[place], digest)
    return batch


def _decode_again(index: ImageIndex, position: int, image_size: int) -> NDArray[np.uint8]:
    path = index.root / index.paths[position]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PhotosError(f"{path} was there when it was checked: {error.strerror}") from error
    if hashlib.sha256(data).hexdigest() != index.digests[position]:
        raise PhotosError(f"{path} changed while it was being used. Run the command again.")
    return decode(data, image_size=image_size)
