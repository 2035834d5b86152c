"""What a number was measured on, and how long a command took."""

import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from headstart.progress import processors

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("HEADSTART_TEST_DATA") or HERE.parent.parent / "shared" / "data")
"""Real photos and weights."""


def describe() -> str:
    """Returns processor, cores, the features that decide, and the versions that matter."""
    name, flags = platform.processor() or "unknown processor", ""
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else ():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            name = value.strip()
        if key.strip() == "flags":
            known = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
            flags = " ".join(flag for flag in known if flag in value.split())
    packages = " ".join(map(_version, ("keras", "openvino", "tensorflow-cpu")))
    return f"{name}, {processors()} cores ({flags}); Python {platform.python_version()}, {packages}"


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, dict[str, object]]:
    """Runs a command and returns its seconds and the JSON that it prints."""
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return seconds, json.loads(done.stdout[done.stdout.index("{") :])


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"
