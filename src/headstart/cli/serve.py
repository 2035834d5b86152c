"""`headstart serve`: a run answers over HTTP, and on a page."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.options import Coverage, Engine
from headstart.cli.output import reported


def serve(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN ...", help="Run folders; the first by default.")
    ],
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes any that is free.")] = 8000,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Ask for the API key in it (or in HEADSTART_API_KEY)."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A site whose pages may ask too (CORS); repeatable."),
    ] = None,
    max_mb: Annotated[int, typer.Option(help="MiB that one request may have.")] = 32,
    max_photos: Annotated[int, typer.Option(help="Photos that one request may hold.")] = 32,
    queue: Annotated[
        int, typer.Option(help="Photos under way at once; past it requests get a 503.")
    ] = 256,
    timeout: Annotated[
        float, typer.Option(help="Seconds for a body to arrive, and again for its answer.")
    ] = 30.0,
    coverage: Coverage = 0.95,
    engine: Engine = "auto",
    precision: Annotated[
        str | None, typer.Option(help="float32, bfloat16 or float16. [default: the run's]")
    ] = None,
) -> None:
    """Serve runs: predictions over HTTP and a page to try them. SIGHUP reloads changed runs."""
    from headstart.serving.limits import Limits
    from headstart.workflow.serve import serve as serve_runs

    with reported():
        serve_runs(
            runs,
            host=host,
            port=port,
            key_file=key_file,
            origins=origin or (),
            limits=Limits(
                body_bytes=max_mb * 2**20,
                photos=max_photos,
                queue=queue,
                seconds=timeout,
                waiting_bytes=max(256, 4 * max_mb) * 2**20,  # room for a few of the largest
            ),
            coverage=coverage,
            engine=engine,
            precision=precision,
            on_ready=lambda address: typer.echo(f"serving at {address} (Ctrl-C stops)"),
        )
