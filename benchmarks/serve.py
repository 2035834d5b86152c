"""How many photos a second the server answers, against FastAPI with `model.predict` a request.

Command:  python benchmarks/serve.py [--run RUN] [--photos FOLDER] [--seconds 20]

32 clients, each waiting for its answer before it asks again; one photo a request. Expected: at
least 8x the requests a second at no higher 99th percentile of the times.
"""

import argparse
import asyncio
import itertools
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import headstart
from load import Answer, clients, milliseconds, multipart
from machine import DATA, describe

CLIENTS = 32
PHOTOS = DATA / "photos" / "cats_dogs"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def server(*arguments: str, port: int, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a server and ends it; its output goes nowhere."""
    command = [sys.executable, *arguments, "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    child = subprocess.Popen(command, env=os.environ | variables, **quiet)
    try:
        until = monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if monotonic() > until or child.poll() is not None:
                    raise
                sleep(0.2)
        yield child
    finally:
        child.terminate()
        child.wait()


def measure(port: int, requests: list[bytes], seconds: float) -> tuple[float, list[Answer]]:
    """Returns answers a second, and the answers, after a warm-up of a fifth of the time."""
    answers: list[Answer] = []
    for length in (seconds / 5, seconds):
        answers.clear()
        begun = monotonic()

        def until(end: float) -> Iterator[tuple[int, bytes]]:
            for number in itertools.count():
                if monotonic() > end:
                    return
                yield number, requests[number % len(requests)]

        asyncio.run(clients(port, until(begun + length), count=CLIENTS, seen=answers.append))
        took = monotonic() - begun
    wrong = [answer for answer in answers if answer.status != 200]
    if wrong:
        raise SystemExit(f"{len(wrong)} answers are no success, first: {wrong[0]}")
    return len(answers) / took, answers


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path)
    parser.add_argument("--photos", type=Path, default=PHOTOS / "test")
    parser.add_argument("--keras-home", type=Path, default=DATA / "keras_home")
    return parser


def run_of(given: argparse.Namespace, folder: Path) -> Path:
    """Returns the run that was named, or trains one, with a cache of its own."""
    os.environ |= {"KERAS_HOME": str(given.keras_home), "HEADSTART_CACHE": f"{folder}/cache"}
    return given.run or headstart.train(PHOTOS / "train", out=folder / "run").folder


def main() -> None:
    parser = arguments()
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    print(describe(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        run = run_of(given, Path(folder))
        files = sorted(given.photos.rglob("*.jpg"))[::5]
        requests = [multipart(file.read_bytes()) for file in files]
        servers = {
            "headstart serve": ("-m", "headstart", "serve", str(run)),
            "FastAPI + model.predict": (
                "-m", "uvicorn", "--app-dir", str(Path(__file__).parent), "plain_serve:app",
            ),
        }  # fmt: skip
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(given.rounds):
            for name, command in servers.items():
                port = free_port()
                with server(*command, port=port, MODEL=str(run / "model.keras")):
                    rate, answers = measure(port, requests, given.seconds)
                rates[name].append(rate)
                times = " / ".join(f"{milliseconds(answers, q):.0f}" for q in (0.5, 0.95, 0.99))
                print(f"{name}: {rate:.1f} requests/s; p50 / p95 / p99 {times} ms", flush=True)
        ours, theirs = (sum(found) / len(found) for found in rates.values())
        print(f"throughput: {ours / theirs:.1f}x")


if __name__ == "__main__":
    main()
