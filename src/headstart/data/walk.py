"""What lies in a folder, by names alone: folders, files that may be photos, and foreign files."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headstart.errors import PhotosError

NOT_AN_IMAGE = "not an image file"
SYSTEM_FILE = "a hidden or system file"
SYSTEM_FOLDER = "a hidden or system folder"
HARMLESS_REASONS = frozenset({NOT_AN_IMAGE, SYSTEM_FILE, SYSTEM_FOLDER})
"""Files set aside for these reasons were never meant as photos; nothing is wrong with the data."""

IMAGE_SUFFIXES = frozenset(
    # Split from one string, here and below: as lists of strings they would fill two pages.
    re.findall(
        r"\S+", ".jpg .jpeg .jpe .jfif .png .gif .bmp .dib .webp .avif .avifs .tif .tiff .mpo"
    )
)
"""Names that surely mean a photo: they decide how a folder is laid out, never what is read."""

_SYSTEM_NAMES = frozenset(
    re.findall(
        r"[^|]+",
        "thumbs.db|ehthumbs.db|ehthumbs_vista.db|desktop.ini|iconcache.db|icon\r|$recycle.bin|"
        "system volume information|__macosx|@eadir|#recycle|lost+found|__pycache__",
    )
)

_FOREIGN_SUFFIXES = frozenset(
    re.findall(
        r"\S+",
        ".txt .csv .tsv .json .jsonl .xml .yaml .yml .toml .ini .cfg .conf .md .rst .log .html "
        ".htm .css .js .url .webloc .lnk .py .pyc .ipynb .sh .bat .m .mat .c .h .cpp .java .r .db "
        ".sqlite .sqlite3 .pdf .doc .docx .odt .rtf .xls .xlsx .ods .ppt .pptx .tex .bib .svg .eps "
        ".ai .psd .xcf .zip .tar .gz .tgz .bz2 .tbz2 .xz .txz .zst .7z .rar .npy .npz .h5 .hdf5 "
        ".keras .pt .pth .pb .onnx .tflite .ckpt .pkl .pickle .parquet .arrow .feather .tfrecord "
        ".lmdb .mp4 .mov .avi .mkv .webm .m4v .mpg .mpeg .wmv .flv .mp3 .wav .flac .ogg .m4a .aac "
        ".exe .dll .so .iso .dmg .part .crdownload .tmp .bak .md5 .sha1 .sha256 .sha512 .asc .sig",
    )
)
_NUMBERED_COPY = re.compile(r"[\[(]\d+[\])]$")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that is not used.

    Attributes:
        path: relative to the root, with `/`; always printable.
        reason: in words.
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the tree, sorted by name.

    Attributes:
        path: relative to the root, with `/`; empty for the root itself.
        files: names of regular files that may be photos.
        folders: the folders in it.
        foreign: names of files that are meant for something else, such as notes and tables.
    """

    path: str
    files: list[str] = field(default_factory=list)
    folders: list["Folder"] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    def below(self) -> Iterator["Folder"]:
        """Yields this folder and every one below it."""
        waiting = [self]
        while waiting:
            folder = waiting.pop()
            yield folder
            waiting.extend(reversed(folder.folders))

    def photos(self) -> list[str]:
        """Returns the paths of every file here and below that may be a photo."""
        return [join(folder.path, name) for folder in self.below() for name in folder.files]

    def has_photos(self) -> bool:
        """Tells whether any file here or below may be a photo."""
        return any(folder.files for folder in self.below())

    def loose(self) -> list[str]:
        """Returns the names directly here that surely mean a photo."""
        return [name for name in self.files if suffix(name) in IMAGE_SUFFIXES]


def join(folder: str, name: str) -> str:
    """Joins two parts of a relative path; the folder may be empty."""
    return f"{folder}/{name}" if folder else name


def suffix(name: str) -> str:
    """Returns a name's ending in lower case, without the `(1)` of a second download.

    Example:
        >>> suffix("Cat.JPG"), suffix("readme[1].txt"), suffix("cat")
        ('.jpg', '.txt', '')
    """
    stem, dot, end = name.rpartition(".")
    return f".{_NUMBERED_COPY.sub('', end).strip().lower()}" if dot and stem else ""


def foreign_reason(name: str) -> str | None:
    """Tells why a file of this name is no photo, or None when its content shall decide.

    Example:
        >>> foreign_reason("Thumbs.db"), foreign_reason("notes.txt"), foreign_reason("cat.0.jpg")
        ('a hidden or system file', 'not an image file', None)
    """
    if name.startswith(".") or name.lower() in _SYSTEM_NAMES:
        return SYSTEM_FILE
    return NOT_AN_IMAGE if suffix(name) in _FOREIGN_SUFFIXES else None


def printable(name: str) -> str:
    r"""Returns a name that any terminal and any UTF-8 file can hold.

    Example:
        >>> printable("caf\udce9.jpg")
        'caf\\xe9.jpg'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def walk(root: Path) -> tuple[Folder, list[SetAside]]:
    """Reads a whole folder tree, each folder once; links to folders are never followed.

    Args:
        root: a folder.

    Returns:
        The root's `Folder`, and every file that is set aside for its name or kind.

    Raises:
        PhotosError: when the root itself cannot be read.
    """
    top = Folder("")
    set_aside: list[SetAside] = []
    inside = os.path.realpath(root)
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder.path if folder.path else root) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            if folder is top:
                raise PhotosError(f"{str(root)!r} cannot be read: {error.strerror}.") from error
            set_aside.append(
                SetAside(folder.path, f"a folder that cannot be read: {error.strerror}")
            )
            continue
        for entry in entries:
            _sort_in(entry, folder, set_aside, inside=inside)
        waiting.extend(folder.folders)
    return top, set_aside


def _sort_in(
    entry: os.DirEntry[str], folder: Folder, set_aside: list[SetAside], *, inside: str
) -> None:
    name = entry.name
    is_folder = entry.is_dir(follow_symlinks=False)
    reason = _undecodable(name, is_folder=is_folder)
    if reason is None:
        reason = foreign_reason(name)
        if is_folder:
            reason = SYSTEM_FOLDER if reason == SYSTEM_FILE else None
        elif reason == NOT_AN_IMAGE:
            folder.foreign.append(name)
        elif reason is not None:
            pass
        elif entry.is_symlink():
            reason = _bad_link(entry.path, inside)
        elif not entry.is_file(follow_symlinks=False):
            reason = "not a regular file (a pipe, socket or device)"
    if reason is not None:
        set_aside.append(SetAside(printable(join(folder.path, name)), reason))
    elif is_folder:
        folder.folders.append(Folder(join(folder.path, name)))
    else:
        folder.files.append(name)


def _undecodable(name: str, *, is_folder: bool) -> str | None:
    if name.isascii():
        return None
    try:
        name.encode()
    except UnicodeEncodeError:
        kind = "folder" if is_folder else "file"
        return f"the {kind}'s name is not valid UTF-8; rename it"
    return None


def _bad_link(path: str, inside: str) -> str | None:
    try:
        target = os.path.realpath(path, strict=True)
    except OSError:
        return "a link that leads nowhere"
    if not target.startswith(inside.rstrip(os.sep) + os.sep):
        return "a link to a place outside the folder; copy the file here if it is wanted"
    if not Path(target).is_file():
        return "a link to a folder; only links to files are followed"
    return None
