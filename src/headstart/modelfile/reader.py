"""Reads a model file in a process of its own, which `headstart.modelfile.contents` starts.

The HDF5 library is C code that damaged files have crashed before. Here it can crash, hang or ask
for memory as it likes: limits are set before the file is opened, and the process that asked sees
one line of JSON, or none. Nothing of this package and no Keras is imported, and what is read is
text and plain arrays of numbers.
"""

import io
import json
import os
import stat
import sys
import zipfile
from typing import Any

MAX_TEXT = 64 * 2**20
"""Bytes of a config; that of the largest published network takes 3 MB."""

MAX_OBJECTS = 100_000
MAX_DEPTH = 40
MAX_RATIO = 200
"""Compressed better than this, megabytes are no weights but a bomb."""

BOMB_BYTES = 32 * 2**20
CHUNK = 16 * 2**20
EXECUTED = (
    ".dill", ".dylib", ".dll", ".joblib", ".pkl", ".pickle", ".pt", ".pth", ".py", ".pyc", ".so",
)  # fmt: skip
WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"


class RefusedError(Exception):
    """The reason why a file is not read further."""


def main() -> None:
    """Takes one JSON object on standard input and prints another."""
    request = json.load(sys.stdin)
    _limit(request["memory"], request["seconds"])
    try:
        answer = read(request["file"], request["max_bytes"], request.get("arrays_to"))
    except RefusedError as error:
        answer = {"refused": str(error)}
    except MemoryError:
        answer = {"refused": "reading it takes more memory than is allowed"}
    except Exception as error:  # whatever h5py and zipfile raise on damaged files
        answer = {"refused": f"it is damaged or cut off ({type(error).__name__}: {error})"}
    sys.stdout.write(json.dumps(answer))


def _limit(memory: int, seconds: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has none; the time limit of the parent remains
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read(path: str, max_bytes: int, arrays_to: str | None) -> dict[str, Any]:
    """Reads what a file holds.

    Args:
        path: of a file.
        max_bytes: that all arrays together may take.
        arrays_to: a file to write the arrays into, one after the other; None for none.

    Returns:
        `format`, texts as they stand in the file, and `arrays`: each with `place`, `owner`, `name`,
        `shape`, `dtype` and `offset` in `arrays_to`.
    """
    with open(path, "rb") as file:  # noqa: PTH123 - the standard library alone starts fastest
        start = file.read(8)
        if start[:4] == b"PK\x03\x04":
            return _read_zip(path, max_bytes, arrays_to)
        if start == b"\x89HDF\r\n\x1a\n":
            return _read_hdf5(path, max_bytes, arrays_to)
    if start[:1] == b"\x80" and len(start) > 1 and start[1] <= 5:
        raise RefusedError("it is a pickle, which runs code when it is loaded")
    raise RefusedError("it is neither a .keras archive nor HDF5")


def _read_zip(path: str, max_bytes: int, arrays_to: str | None) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        members = _members(archive, max_bytes)
        if CONFIG not in members:
            raise RefusedError(f"it is an archive without {CONFIG}, so no model that Keras saved")
        found: dict[str, Any] = {"format": "keras"}
        found["config"] = _text(archive, members[CONFIG])
        if METADATA in members:
            found["metadata"] = _text(archive, members[METADATA])
        found["assets"] = sorted(name for name in members if name.startswith("assets/"))
        found["arrays"] = []
        if WEIGHTS in members:
            with _weights(path, archive, members[WEIGHTS]) as weights:
                found |= _arrays(weights, max_bytes, arrays_to)
    return found


def _members(archive: zipfile.ZipFile, max_bytes: int) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    if len(archive.infolist()) > MAX_OBJECTS:
        raise RefusedError(f"its archive holds more than {MAX_OBJECTS} members")
    for item in archive.infolist():
        name = item.filename
        parts = name.replace("\\", "/").split("/")
        if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
            raise RefusedError(f"its member {name!r} would be written outside the archive")
        if stat.S_ISLNK(item.external_attr >> 16):
            raise RefusedError(f"its member {name!r} is a link")
        if item.flag_bits & 1:
            raise RefusedError(f"its member {name!r} is encrypted")
        if name.lower().endswith(EXECUTED):
            raise RefusedError(f"its member {name!r} is code or a pickle")
        if name in members:
            raise RefusedError(f"it holds two members named {name!r}")
        if name not in (WEIGHTS, CONFIG, METADATA) and parts[0] != "assets":
            raise RefusedError(f"its member {name!r} is none that Keras writes")
        if item.file_size > max(item.compress_size, 1) * MAX_RATIO and item.file_size > BOMB_BYTES:
            raise RefusedError(f"its member {name!r} is a bomb: {item.file_size:,} bytes unpacked")
        if item.file_size > max_bytes + BOMB_BYTES:
            raise RefusedError(f"its member {name!r} takes {item.file_size:,} bytes, too many")
        members[name] = item
    return members


def _text(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> str:
    if item.file_size > MAX_TEXT:
        raise RefusedError(f"its member {item.filename!r} takes {item.file_size:,} bytes, too many")
    with archive.open(item) as file:
        return file.read(MAX_TEXT).decode("utf-8")


def _weights(path: str, archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> io.BufferedIOBase:
    """Opens the weights in place, as Keras stores them; unpacks them where they are packed."""
    if item.compress_type == zipfile.ZIP_STORED:
        return io.BufferedReader(_Window(path, _begin(path, item), item.file_size))
    import tempfile

    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    with archive.open(item) as file:
        while chunk := file.read(CHUNK):
            unpacked.write(chunk)
    unpacked.seek(0)
    return unpacked


def _begin(path: str, item: zipfile.ZipInfo) -> int:
    """Where a stored member's bytes begin: behind its local header, name and extra field."""
    with open(path, "rb") as file:  # noqa: PTH123
        file.seek(item.header_offset + 26)
        lengths = file.read(4)
    name, extra = (int.from_bytes(lengths[at : at + 2], "little") for at in (0, 2))
    return item.header_offset + 30 + name + extra


class _Window(io.RawIOBase):
    """A part of a file, as a file."""

    def __init__(self, path: str, begin: int, size: int) -> None:
        self._file = open(path, "rb")  # noqa: PTH123, SIM115 - closed in close
        self._begin, self._size, self._at = begin, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        count = max(0, min(len(view), self._size - self._at))
        self._file.seek(self._begin + self._at)
        count = self._file.readinto(view[:count])
        self._at += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


def _read_hdf5(path: str, max_bytes: int, arrays_to: str | None) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {"format": "h5"}
    with h5py.File(path, "r") as file:
        for name, key in (("model_config", "config"), ("training_config", "training_config")):
            if name in file.attrs:
                found[key] = _attribute(file, name)
        root = file["model_weights"] if "model_weights" in _hard(file) else file
        for name in ("keras_version", "backend"):
            for group in (file, root):
                if name in group.attrs:
                    found[name] = _attribute(group, name)
    return found | _arrays(path, max_bytes, arrays_to)


def _attribute(group: Any, name: str) -> str:
    value = group.attrs[name]
    text = value.decode("utf-8") if isinstance(value, bytes) else str(value)
    if len(text) > MAX_TEXT:
        raise RefusedError(f"its {name} takes {len(text):,} characters, too many")
    return text


def _hard(group: Any) -> list[str]:
    """Names in a group; refuses it when one of them points elsewhere."""
    import h5py

    names = []
    for name in group:
        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            target = getattr(link, "filename", getattr(link, "path", ""))
            raise RefusedError(f"it holds a link at {name!r} to {target!r}, which is not followed")
        names.append(name)
        if len(names) > MAX_OBJECTS:
            raise RefusedError(f"it holds more than {MAX_OBJECTS} objects")
    return names


def _arrays(source: Any, max_bytes: int, arrays_to: str | None) -> dict[str, Any]:
    import h5py

    with h5py.File(source, "r") as file:
        named = _all_arrays(file)
        root = file.get("model_weights", file)
        legacy = "layer_names" in root.attrs or "layer_names0" in root.attrs
        wanted = _legacy(root, named) if legacy else _tree(file, named)
        if not wanted and not legacy and "layers" not in file:
            wanted = [(place, array, [], "", 0) for place, array in named.items()]
        total = sum(array.size * array.dtype.itemsize for _, array, *_ in wanted)
        if total > max_bytes:
            raise RefusedError(f"its weights take {total:,} bytes, more than {max_bytes:,}")
        answers = []
        output = open(arrays_to, "wb") if arrays_to else None  # noqa: PTH123, SIM115
        for place, array, owner, name, number in wanted:
            answers.append({
                "place": place, "owner": owner, "name": name, "number": number,
                "shape": list(array.shape), "dtype": array.dtype.str,
                "offset": _write(array, output) if output else 0,
            })  # fmt: skip
        if output:
            output.close()
    return {"layout": "legacy" if legacy else "keras3", "arrays": answers}


def _all_arrays(file: Any) -> dict[str, Any]:
    """Walks the whole file by hard links; refuses whatever is no plain array of numbers."""
    import h5py

    found: dict[str, Any] = {}
    waiting = [("", file, 0)]
    seen = 0
    while waiting:
        where, group, depth = waiting.pop()
        for name in _hard(group):
            seen += 1
            place = f"{where}/{name}".strip("/")
            if seen > MAX_OBJECTS or depth > MAX_DEPTH:
                raise RefusedError("its groups are nested without end")
            child = group[name]
            if isinstance(child, h5py.Dataset):
                # What an optimizer kept is not read, whatever it is.
                if not place.startswith(("optimizer", "_optimizer")):
                    found[place] = _plain(child, place)
            elif isinstance(child, h5py.Group):
                waiting.append((place, child, depth + 1))
    return found


def _plain(array: Any, place: str) -> Any:
    if array.external or array.is_virtual:
        raise RefusedError(f"its array {place!r} lies in another file, which is not opened")
    if array.dtype.kind not in "fiub" or array.shape is None:
        raise RefusedError(f"its array {place!r} holds no plain numbers")
    size = array.size * array.dtype.itemsize
    stored = array.id.get_storage_size()
    if size > max(stored, 1) * MAX_RATIO and size > BOMB_BYTES:
        raise RefusedError(f"its array {place!r} is a bomb: {size:,} bytes out of {stored:,}")
    return array


def _names(group: Any, attribute: str) -> list[str]:
    """Reads a list of names; Keras splits those over 64 kB into name0, name1, ..."""
    attrs = group.attrs
    parts = [attribute] if attribute in attrs else []
    while f"{attribute}{len(parts)}" in attrs:
        parts.append(f"{attribute}{len(parts)}")
    names = [name for part in parts for name in attrs[part]]
    return [name.decode() if isinstance(name, bytes) else str(name) for name in names]


Wanted = list[tuple[str, Any, list[str], str, int]]


def _legacy(root: Any, named: dict[str, Any]) -> Wanted:
    wanted: Wanted = []
    base = root.name.strip("/")
    for layer in _names(root, "layer_names"):
        group = root[layer]
        for number, name in enumerate(_names(group, "weight_names")):
            place = "/".join(filter(None, (base, layer, name)))
            if place not in named:
                raise RefusedError(f"it lacks the array {place!r} that it lists")
            wanted.append((place, named[place], [layer], name, number))
    return wanted


def _tree(file: Any, named: dict[str, Any]) -> Wanted:
    """Arrays at `layers/GROUP/.../vars/NUMBER`; each `vars` says its layer's name."""
    wanted: Wanted = []
    for place, array in sorted(named.items()):
        parts = place.split("/")
        if len(parts) < 2 or parts[-2] != "vars" or not parts[-1].isdigit():
            continue
        owner = []
        for end in range(2, len(parts) - 1):
            if parts[end - 1] in ("layers", "vars", "_layer_checkpoint_dependencies"):
                continue
            group = "/".join(parts[:end])
            vars_ = file[group].get("vars")
            name = vars_.attrs.get("name") if vars_ is not None else None
            owner.append(str(name) if name else f"<{parts[end - 1]}>")
        wanted.append((place, array, owner, "", int(parts[-1])))
    return wanted


def _write(array: Any, output: io.BufferedIOBase) -> int:
    offset = output.tell()
    values = array[()]
    output.write(memoryview(values.reshape(-1).view("u1")) if values.size else b"")
    return offset


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    main()
