"""What a number was measured on."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from headstart.progress import processors


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


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"
