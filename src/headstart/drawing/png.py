"""SVG to PNG by whatever program of the machine can do it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from headstart.errors import MissingPackageError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")
_SECONDS = 120


def write_png(svg: str, path: Path) -> None:
    """Writes a drawing as PNG.

    Args:
        svg: of `draw_svg`, in a theme of its own.
        path: to write.

    Raises:
        MissingPackageError: when no program here can do it, naming those that could.
    """
    rsvg, inkscape = shutil.which("rsvg-convert"), shutil.which("inkscape")
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "drawing.svg")
        source.write_text(svg, "utf-8")
        for command in (
            rsvg and [rsvg, "--output", str(path), str(source)],
            inkscape and [inkscape, f"--export-filename={path}", str(source)],
            browser and _of_browser(browser, svg, source, path),
        ):
            if not command:
                continue
            problem = _run(command)
            if problem is None and path.is_file() and path.stat().st_size:
                return
            failed.append(f"{Path(command[0]).name}: {problem or 'wrote nothing'}")
    raise MissingPackageError(
        "A PNG needs rsvg-convert (Debian: apt-get install librsvg2-bin), Inkscape or Chromium"
        + (f", and here {'; '.join(failed)}. " if failed else ", and none is installed. ")
        + "Or write .svg or .html: every browser shows them."
    )


def _of_browser(browser: str, svg: str, source: Path, path: Path) -> list[str]:
    size = re.search(r'width="(\d+)" height="(\d+)"', svg)
    width, height = size.groups() if size else ("1200", "900")
    page = source.with_suffix(".html")
    page.write_text(
        '<!doctype html><meta charset="utf-8"><style>html,body{margin:0;overflow:hidden}'
        f"svg{{display:block}}</style>{svg}",
        "utf-8",
    )
    command = [
        browser, "--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
        f"--user-data-dir={source.parent / 'profile'}", f"--window-size={width},{height}",
        f"--screenshot={path}", page.as_uri(),
    ]  # fmt: skip
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")  # Chromium's does not start for root
    return command


def _run(command: list[str]) -> str | None:
    """Runs a program; what went wrong, or None."""
    try:
        done = subprocess.run(  # noqa: S603 - of fixed names, without a shell
            command, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:200]
    if done.returncode == 0:
        return None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return (lines or [f"exit code {done.returncode}"])[-1][:200]
