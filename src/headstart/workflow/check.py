"""`headstart check`: what is in there, what is wrong with it."""

from headstart.data.checks import CheckReport, check_photos
from headstart.data.store import CachePlace
from headstart.progress import Progress, Silent
from headstart.workflow.intake import Photos, read_photos


def check(
    photos: Photos,
    *,
    label_from_name: str | None = None,
    progress: Progress | None = None,
) -> CheckReport:
    """Reads and decodes every photo once and says what is wrong.

    Args:
        photos: a folder of class folders, an archive or CSV of such, an `ImageIndex`, or arrays.
        label_from_name: finds the class in a file's name.
        progress: told about every photo.

    Raises:
        PhotosError: when there are no labelled photos at all.

    Example:
        >>> import headstart
        >>> headstart.check(PHOTOS).findings
        ()
    """
    index = read_photos(
        photos,
        label_from_name=label_from_name,
        image_size=None,
        place=CachePlace.default(),
        progress=progress or Silent(),
    )
    return check_photos(index)
