"""The server as a process: signals, hostile clients, its own schema."""

import asyncio
import json
import runpy
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import httpx
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
hung_up = {"hangs up in the body", "hangs up in the head"}


def ask(process, photos):
    return httpx.post(
        f"{process.address}v1/predict",
        files=[("images", (photo.name, photo.read_bytes())) for photo in photos],
        timeout=60,
    )


def in_threads(count, function) -> list[Thread]:
    threads = [Thread(target=function) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP on this system")
def test_a_changed_run_is_reloaded_without_dropping_a_request(process, served) -> None:
    seen, over = [], []

    def client() -> None:
        while not over:
            seen.append(ask(process, served.photos[:2]))

    threads = in_threads(4, client)
    manifest = process.run / "manifest.json"
    values = json.loads(manifest.read_text())
    manifest.write_text("{")
    process.child.send_signal(signal.SIGHUP)  # half a run is left out; the old one answers
    while len(seen) < 40:
        pass
    manifest.write_text(json.dumps(values | {"class_names": ["round", "square"]}))
    process.child.send_signal(signal.SIGHUP)
    while seen[-1].json()["predictions"][0]["class_name"] != "round" and len(seen) < 2000:
        pass
    over.append(True)
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in seen} == {200}
    names = [answer.json()["predictions"][0]["class_name"] for answer in seen]
    assert set(names) == {"disc", "round"}
    assert set(names[:40]) == {"disc"}


def test_the_end_waits_for_what_is_in_flight(start, served) -> None:
    process, seen = start(), []
    threads = in_threads(6, lambda: seen.append(ask(process, [*served.photos] * 4)))
    while b'status="200"' not in httpx.get(f"{process.address}metrics").content:
        pass
    process.child.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in seen] == [200] * 6
    assert process.child.wait(30) == 0


def test_hostile_requests_do_no_harm(process, served, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    load = runpy.run_path(str(BENCHMARKS / "load.py"))
    requests = runpy.run_path(str(BENCHMARKS / "hostile.py"))["hostile"](
        served.photos[0].read_bytes()
    )
    seen = {}

    def send() -> None:
        asyncio.run(
            load["clients"](
                process.port,
                iter(enumerate(requests.values())),
                count=8,
                seen=lambda answer: seen.update({list(requests)[answer.number]: answer.status}),
            )
        )

    # A thread of its own: in this one the browser of other tests may have a loop that runs.
    (sender,) = in_threads(1, send)
    sender.join()
    answered = {name for name, status in seen.items() if not 400 <= status < 500}
    assert answered == hung_up | {"bomb under the limit"}
    assert ask(process, served.photos).is_success


def test_nothing_that_fits_the_schema_makes_it_fail(process) -> None:
    pytest.importorskip("schemathesis", reason="pip install schemathesis")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{process.address}openapi.json"]
    command += ["--checks", "not_a_server_error", "--max-examples", "15", "--seed", "0"]
    command += ["--phases", "examples,fuzzing", "--generation-database", "none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
