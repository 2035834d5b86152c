"""What the server's process gives back."""

import platform
import subprocess
import sys

import pytest

KEEP = """
import sys
import psutil
from headstart.serving.server import return_large_blocks

if sys.argv[1] == "return":
    return_large_blocks()
of = psutil.Process()
before = of.memory_info().rss
first = b"x" * (24 << 20)
del first  # from now on glibc takes blocks up to this size from its heap
blocks = [b"x" * (4 << 20) for _ in range(20)]
above = b"x" * 200_000  # the heap cannot shrink past it
del blocks
print((of.memory_info().rss - before) >> 20)
"""


def grown(how: str) -> int:
    """MiB that a process has more after large blocks came and went."""
    done = subprocess.run(
        [sys.executable, "-c", KEEP, how], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc holds on to them")
def test_large_blocks_that_were_freed_go_back_to_the_system() -> None:
    assert grown("keep") > 50
    assert grown("return") < 10
