"""Live export as the command line asks for it: `--prometheus [HOST:]PORT`, `--otlp URL`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import click

from stressrunner.cli.run_options import RunOptions
from stressrunner.errors import UsageError
from stressrunner.run.listener import Listener

__all__ = ["exporting"]

_LOOPBACK = "127.0.0.1"


@contextmanager
def exporting(options: RunOptions, phases: Sequence[str]) -> Iterator[tuple[Listener, ...]]:
    """Export what is asked for until the context is left; yields the listeners that do.

    Raises:
        UsageError: an address makes no sense or cannot be used, or a package is missing.
    """
    with ExitStack() as stack:
        listeners: list[Listener] = []
        if options.prometheus is not None:
            served = _prometheus(options.prometheus, phases, quiet=options.quiet)
            listeners.append(stack.enter_context(served))
        if options.otlp is not None:
            listeners.append(stack.enter_context(_otlp(options.otlp, phases)))
        yield tuple(listeners)


@contextmanager
def _prometheus(address: str, phases: Sequence[str], *, quiet: bool) -> Iterator[Listener]:
    host, port = _address(address)
    try:
        from stressrunner.run.export.prometheus import serving_prometheus  # noqa: PLC0415  an extra
    except ImportError as error:
        raise _missing("--prometheus", "prometheus", error) from error
    with serving_prometheus(host, port, phases) as (listener, port):
        if not quiet:
            shown = f"[{host}]" if ":" in host else host
            click.echo(f"serving figures at http://{shown}:{port}/metrics", err=True)
        yield listener


@contextmanager
def _otlp(url: str, phases: Sequence[str]) -> Iterator[Listener]:
    try:
        from stressrunner.run.export.otlp import pushing_otlp  # noqa: PLC0415  an extra
    except ImportError as error:
        raise _missing("--otlp", "otlp", error) from error
    with pushing_otlp(url, phases) as listener:
        yield listener
    if listener.failed:
        click.echo(f"--otlp {url}: {listener.failed} of the pushes were not taken", err=True)


def _missing(option: str, extra: str, error: ImportError) -> UsageError:
    return UsageError(f"{option} needs a package ({error.name}): pip install 'stressrunner[{extra}]'")


def _address(text: str) -> tuple[str, int]:
    """Read `PORT` or `HOST:PORT`; without a host it is this machine alone that is served."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--prometheus {text}: write a port such as 9464, or HOST:PORT")
    return host.strip("[]") or _LOOPBACK, int(port)
