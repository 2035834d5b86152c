"""Whether the server stays well among hostile requests, and right in its answers to the others.

Command:  python benchmarks/hostile.py [--run RUN] [--photos FOLDER] [--requests 10000]

32 clients; 5 % of the requests are broken, lie about themselves or want too much. Expected: no
status of 500 or more but 503, memory that grows by less than 10 % after the first fifth, and every
answer to a good request as `headstart predict` gives it, to 1e-4. Exit 1 where that is not so.
"""

import asyncio
import io
import json
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from struct import pack
from threading import Event, Thread
from time import monotonic

import numpy as np
import psutil
from PIL import Image

import headstart
from load import Answer, clients, head, multipart
from machine import describe
from serve import CLIENTS, arguments, free_port, run_of, server

SHARE = 20  # every twentieth


def png(width: int, height: int) -> bytes:
    """A black picture of few bytes, whose header may claim anything."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    size = pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packed = zlib.compress(bytes((width + 1) * min(height, 9400)), 9)
    head_, body = chunk(b"IHDR", size), chunk(b"IDAT", packed)
    return b"\x89PNG\r\n\x1a\n" + head_ + body + chunk(b"IEND", b"")


def hostile(photo: bytes) -> dict[str, bytes]:
    """Returns requests by what is wrong with them."""
    whole = multipart(photo)
    body = whole.partition(b"\r\n\r\n")[2]
    deep = b'{"images": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    tiff = io.BytesIO()
    Image.new("I;16", (64, 64)).save(tiff, "TIFF")
    texts: list[bytes] = [
        b'{"images": ["@@@"]}', b'{"images": "x"}', b"{", deep, b'{"images": []}', b"\xff\xfe",
        b'{"images": ["AAAA"], "more": 1}',
    ]  # fmt: skip
    found = {
        "half a photo": multipart(photo[: len(photo) // 2]),
        "hangs up in the body": whole[: len(whole) // 2],
        "hangs up in the head": whole[:60],
        "no last boundary": head(len(body) - 12) + body[:-12],
        "1 GB declared": head(10**9) + body,
        "bomb over the limit": multipart(png(60_000, 60_000)),
        "bomb under the limit": multipart(png(9_400, 9_400)),
        "wrong type": head(len(photo), kind="image/jpeg") + photo,
        "no type": head(len(photo), kind="") + photo,
        "wrong field": multipart(photo, field="image"),
        "noise": multipart(np.random.default_rng(0).bytes(50_000)),
        "nothing": head(0),
        "an empty file": multipart(b""),
        "too many photos": multipart(*[photo] * 40),
        "half a TIFF": multipart(tiff.getvalue()[:200]),
        "40 MB sent": head(40 * 2**20) + bytes(40 * 2**20),
        "unknown model": multipart(photo).replace(b"/v1/predict", b"/v1/predict?model=x", 1),
        "no boundary": head(len(body), kind="multipart/form-data") + body,
        "long boundary": head(len(body), kind=f"multipart/form-data; boundary={'x' * 900}") + body,
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    }
    kind = "application/json"
    return found | {f"JSON {text[:18]!r}": head(len(text), kind=kind) + text for text in texts}


def expected(run: Path, files: list[Path]) -> list[dict[str, float]]:
    """What `headstart predict` says of each file."""
    return [found.probabilities for found in headstart.predict(run, files)]


def watch(process: int, stop: Event, sizes: list[tuple[float, int]]) -> None:
    """Notes the server's memory four times a second."""
    of = psutil.Process(process)
    while not stop.wait(0.25):
        sizes.append((monotonic(), of.memory_info().rss))


def check(body: bytes, right: dict[str, float]) -> bool:
    """Tells whether an answer is what it should be."""
    said = json.loads(body)["predictions"][0]["probabilities"]
    return said.keys() == right.keys() and all(abs(said[k] - right[k]) <= 1e-4 for k in right)


def attack(
    port: int, process: int, good: list[bytes], bad: dict[str, bytes], *, count: int
) -> tuple[list[Answer], list[tuple[float, int]], list[float]]:
    """Sends it all; returns the answers, the memory over time, and when each answer came."""
    names, answers, sizes = list(bad), list[Answer](), list[tuple[float, int]]()
    times: list[float] = []

    def requests() -> Iterator[tuple[int, bytes]]:
        for number in range(count):
            is_bad = number % SHARE == SHARE - 1
            name = names[number // SHARE % len(names)]
            yield number, bad[name] if is_bad else good[number % len(good)]

    def seen(answer: Answer) -> None:
        answers.append(answer)
        times.append(monotonic())

    stop = Event()
    watcher = Thread(target=watch, args=(process, stop, sizes))
    watcher.start()
    asyncio.run(clients(port, requests(), count=CLIENTS, seen=seen))
    stop.set()
    watcher.join()
    return answers, sizes, times


def growth(sizes: list[tuple[float, int]], times: list[float]) -> tuple[float, float]:
    """Median memory of the second and of the last fifth of the requests, in MiB."""
    marks = [times[int(len(times) * part) - 1] for part in (0.2, 0.4, 0.8, 1)]
    spans = [
        [size for time, size in sizes if begin <= time <= end]
        for begin, end in (marks[:2], marks[2:])
    ]
    return float(np.median(spans[0])) / 2**20, float(np.median(spans[1])) / 2**20


def report(
    answers: list[Answer],
    sizes: list[tuple[float, int]],
    times: list[float],
    *,
    bad: dict[str, bytes],
    right: list[dict[str, float]],
) -> int:
    """Prints what came back; returns 1 where something should not have."""
    names, by_kind, wrong = list(bad), dict[str, Counter[int]](), 0
    for answer in answers:
        is_bad = answer.number % SHARE == SHARE - 1
        kind = names[answer.number // SHARE % len(names)] if is_bad else "good"
        by_kind.setdefault(kind, Counter())[answer.status] += 1
        if not is_bad and answer.status != 503:
            truth = right[answer.number % len(right)]
            wrong += answer.status != 200 or not check(answer.body, truth)
    for kind, statuses in by_kind.items():
        print(f"{kind}: " + ", ".join(f"{count} x {status}" for status, count in statuses.items()))
    failed = sum(answer.status >= 500 and answer.status != 503 for answer in answers)
    before, after = growth(sizes, times)
    print(f"{len(answers)} answers in {times[-1] - times[0]:.0f} s; status 0: the client hung up")
    print(f"{failed} of 500 or more but 503; {wrong} good requests answered wrongly")
    peak, grown = max(size for _, size in sizes) / 2**20, 100 * (after / before - 1)
    print(
        f"memory {before:.0f} MiB in the second fifth, {after:.0f} in the last: {grown:+.1f} %; "
        f"peak {peak:.0f} MiB"
    )
    return int(failed > 0 or wrong > 0 or after > 1.1 * before)


def main() -> None:
    parser = arguments()
    parser.add_argument("--requests", type=int, default=10_000)
    given = parser.parse_args()
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run = run_of(given, Path(folder))
        files = sorted(given.photos.rglob("*.jpg"))[::5]
        right = expected(run, files)
        good, bad = [multipart(f.read_bytes()) for f in files], hostile(files[0].read_bytes())
        port = free_port()
        with server("-m", "headstart", "serve", str(run), port=port) as child:
            found = attack(port, child.pid, good, bad, count=given.requests)
    sys.exit(report(*found, bad=bad, right=right))


if __name__ == "__main__":
    main()
