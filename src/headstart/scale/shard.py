"""A shard: a Parquet file of features with what each photo's file says, checked when it is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headstart.data.decode import PhotoFacts
from headstart.scale.place import Place

if TYPE_CHECKING:
    import pyarrow

SHARD_VERSION = 1
"""Part of every shard's name; raised when what is in one changes."""

FACTS = ("path", "label", "split", "digest", "format", "mode", "width", "height", "orientation",
         "fingerprint", "thumbnail")  # fmt: skip
"""Columns beside `features`."""

_META = b"headstart"


@dataclass(slots=True)
class Rows:
    """What a worker gathers for one shard.

    Attributes:
        columns: a list for every name of `FACTS`.
        features: arrays (B, ...), in the same order.
        unreadable: path and reason of each photo that was set aside.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in FACTS})
    features: list[NDArray[np.float32]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)

    def add(self, names: tuple[str, str | None, str | None], digest: bytes, f: PhotoFacts) -> None:
        """Takes what is known of a photo: its path, label and split, digest and facts."""
        values = (*names, digest, f.format, f.mode, f.width, f.height, f.orientation,
                  f.fingerprint, f.thumbnail)  # fmt: skip
        for name, value in zip(FACTS, values, strict=True):
            self.columns[name].append(value)

    def summary(self) -> dict[str, Any]:
        """Counts what is in it, as plain values."""
        labels: dict[str, int] = {}
        for label in self.columns["label"]:
            if label is not None:
                labels[label] = labels.get(label, 0) + 1
        shape = self.features[0].shape[1:] if self.features else ()
        return {
            "rows": len(self.columns["path"]),
            "labels": labels,
            "unreadable": self.unreadable,
            "shape": list(shape),
        }


def write_shard(place: Place, name: str, rows: Rows) -> dict[str, Any]:
    """Writes a shard whole or not at all.

    Returns:
        Its summary, which is in the file as well, with its size in bytes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    summary = rows.summary()
    width = int(np.prod(summary["shape"])) if rows.features else 0
    flat = np.concatenate(rows.features).ravel() if rows.features else np.empty(0, np.float32)
    columns = {column: pa.array(rows.columns[column], type_) for column, type_ in _types().items()}
    values = pa.array(flat, pa.float32())
    columns["features"] = pa.FixedSizeListArray.from_arrays(values, max(width, 1))
    table = pa.table(columns).replace_schema_metadata({_META: json.dumps(summary).encode()})
    buffer = pa.BufferOutputStream()
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        # Features hardly repeat; a dictionary would only be tried and thrown away.
        use_dictionary=["label", "split", "format", "mode"],
        write_page_checksum=True,
    )
    content = buffer.getvalue().to_pybytes()
    place.write(name, content)
    return summary | {"bytes": len(content)}


def check_shard(place: Place, name: str) -> dict[str, Any] | None:
    """Reads a whole shard and returns its summary; None where it is missing or damaged."""
    try:
        table, size = _read(place, name, None)
        summary = dict(json.loads(table.schema.metadata[_META]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return summary | {"bytes": size} if summary.get("rows") == table.num_rows else None


def read_shard(place: Place, name: str, columns: tuple[str, ...]) -> "pyarrow.Table":
    """Reads some columns of a shard.

    Raises:
        OSError: when it is not there.
        ValueError: when it is damaged.
    """
    return _read(place, name, list(columns))[0]


def features_of(table: "pyarrow.Table") -> NDArray[np.float32]:
    """Returns the column of features as (N, D)."""
    column = table["features"].combine_chunks()
    width = column.type.list_size
    return np.asarray(column.flatten().to_numpy(), np.float32).reshape(-1, width)


def _read(place: Place, name: str, columns: list[str] | None) -> "tuple[pyarrow.Table, int]":
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = place.read(name)
    reader = pa.BufferReader(content)
    try:
        with pq.ParquetFile(reader, page_checksum_verification=True) as file:
            return file.read(columns=columns), len(content)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{place.base}/{name} is damaged: {error}") from error


def _types() -> "Mapping[str, pyarrow.DataType]":
    import pyarrow as pa

    text, number = pa.string(), pa.int32()
    return dict(zip(FACTS, (text, text, text, pa.binary(32), text, text, number, number,
                            pa.uint8(), pa.binary(16), pa.binary(256)), strict=True))  # fmt: skip
