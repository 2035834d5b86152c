"""One file from the network, whole or not at all, and only the file that was published."""

import hashlib
import os
import urllib.request
from http.client import HTTPException
from pathlib import Path

from headstart.errors import DiskFullError, WeightsError
from headstart.files import atomic_file, remove_leftovers
from headstart.progress import Progress

# Without an answer for so long there is no network worth waiting for.
TIMEOUT_SECONDS = 10.0

_CHUNK = 2**20


def keras_home() -> Path:
    """Returns the folder where Keras keeps downloads: KERAS_HOME, else ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def download(
    address: str, target: Path, *, expected: str | None, station: str, progress: Progress
) -> None:
    """Downloads without Keras, whose import would take longer.

    Args:
        address: one that this package names itself.
        target: where the file goes.
        expected: MD5 or SHA-256 (by length) of the file; None where nobody published one.
        station: what to call the work.
        progress: told how many megabytes have come.

    Raises:
        WeightsError: with the reason, when the file did not come.
        DiskFullError: when there is no room.
    """
    content = hashlib.new("sha256" if expected and len(expected) == 64 else "md5")
    try:
        with (
            atomic_file(target) as temporary,
            urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as answer,  # noqa: S310
            temporary.open("wb") as file,
        ):
            remove_leftovers(target.parent)
            total, done = int(answer.headers.get("Content-Length") or 0), 0
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                content.update(chunk)
                done += len(chunk)
                progress.step(station, done // _CHUNK, max(total, done) // _CHUNK + 1)
            progress.step(station, done // _CHUNK + 1, done // _CHUNK + 1)
            if done < total:
                raise WeightsError(f"the connection ended after {done:,} of {total:,} bytes")
            if expected and content.hexdigest() != expected:
                raise WeightsError(
                    f"what came is not the published file: its hash is not {expected}"
                )
    except DiskFullError:
        raise
    except (OSError, HTTPException) as error:
        raise WeightsError(str(error)) from error
