"""Live export as the command line asks for it: `--prometheus [HOST:]PORT`, `--otlp URL`."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import anyio
import click

from stressrunner.cli.run_options import RunOptions
from stressrunner.errors import UsageError
from stressrunner.run.listener import Listener
from stressrunner.units import format_duration

if TYPE_CHECKING:
    from stressrunner.run.export.otlp import OtlpListener
    from stressrunner.run.export.prometheus import PrometheusListener

__all__ = ["Exports", "exporting"]

_LOOPBACK = "127.0.0.1"
_LOOKED_AT_EVERY_S = 0.02


class Exports:
    """Where the figures of a run go while it is under way."""

    def __init__(self, linger_s: float | None, *, quiet: bool) -> None:
        """The last figures are held for a scrape for `linger_s` seconds at most, None for as long as one may take."""
        self.otlp: OtlpListener | None = None
        self.prometheus: PrometheusListener | None = None
        self._linger_s = linger_s
        self._quiet = quiet

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Those who are told of a run."""
        return tuple(one for one in (self.prometheus, self.otlp) if one is not None)

    def hurry(self) -> None:
        """Wait for nobody: the run was interrupted."""
        self._linger_s = 0.0
        if self.otlp is not None:
            self.otlp.is_in_haste = True

    async def hold(self, interrupted: anyio.Event) -> None:
        """Wait until the last figures have been scraped, for as long as that may take, or until it is interrupted."""
        served = self.prometheus
        if served is None:
            return

        def is_done() -> bool:
            return served.is_up_to_date or interrupted.is_set()

        length_s = served.patience_s if self._linger_s is None else self._linger_s
        if length_s and not is_done() and not self._quiet:
            click.echo(
                f"holding the last figures for a scrape, for {format_duration(length_s)} at most; Ctrl-C ends that",
                err=True,
            )
        with anyio.move_on_after(length_s):
            while not is_done():  # noqa: ASYNC110  scrapes come in threads
                await anyio.sleep(_LOOKED_AT_EVERY_S)


@contextmanager
def exporting(options: RunOptions, phases: Sequence[str]) -> Iterator[Exports]:
    """Export what is asked for until the context is left.

    Raises:
        UsageError: an address makes no sense or cannot be used, or a package is missing; or there is nothing to hold for a scrape.
    """
    if options.prometheus_linger is not None and options.prometheus is None:
        raise UsageError(
            "--prometheus-linger holds what --prometheus serves: add --prometheus PORT, or leave it out"
        )
    exports = Exports(options.prometheus_linger, quiet=options.quiet)
    with ExitStack() as stack:
        if options.prometheus is not None:
            served = _prometheus(options.prometheus, phases, quiet=options.quiet)
            exports.prometheus = stack.enter_context(served)
        if options.otlp is not None:
            exports.otlp = stack.enter_context(_otlp(options.otlp, phases))
        yield exports


@contextmanager
def _prometheus(address: str, phases: Sequence[str], *, quiet: bool) -> "Iterator[PrometheusListener]":
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
def _otlp(url: str, phases: Sequence[str]) -> "Iterator[OtlpListener]":
    try:
        from stressrunner.run.export.otlp import pushing_otlp  # noqa: PLC0415  an extra
    except ImportError as error:
        raise _missing("--otlp", "otlp", error) from error
    with pushing_otlp(url, phases) as listener:
        yield listener
    if listener.failed:
        last = "" if listener.is_complete else ", the last figures among them"
        why = f": {listener.reason}" if listener.reason else ""
        click.echo(f"--otlp {url}: {listener.failed} of the pushes were not taken{last}{why}", err=True)


def _missing(option: str, extra: str, error: ImportError) -> UsageError:
    return UsageError(f"{option} needs a package ({error.name}): pip install 'stressrunner[{extra}]'")


def _address(text: str) -> tuple[str, int]:
    """Read `PORT` or `HOST:PORT`; without a host it is this machine alone that is served."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--prometheus {text}: write a port such as 9464, or HOST:PORT")
    return host.strip("[]") or _LOOPBACK, int(port)
