"""Asking before load goes to a machine that nobody has named as one's own to load."""

import os
import sys

import click

from stressrunner.cli.interrupts import interrupted_at_once
from stressrunner.errors import UsageError
from stressrunner.run.strangers import Stranger, strangers
from stressrunner.scenario.model import Target

__all__ = ["ask_about"]

_REMEDY = "if it is yours to load, list it under target.allow_hosts, or give --yes"


async def ask_about(target: Target) -> None:
    """Return when load may go to a target; on a terminal, the person there is asked about a stranger.

    Raises:
        UsageError: it may not, as nobody is there to be asked, or the answer is no.
        click.Abort: the question was answered with Ctrl-C.
    """
    found = await strangers(target)
    if not found:
        return
    named = " through ".join(stranger.named for stranger in found)
    if not _is_attended():
        raise UsageError(f"{_statement(named, found)}: nothing was sent; {_REMEDY}")
    click.echo(f"{_statement(named, found)}.", err=True)
    with interrupted_at_once():
        agreed = click.confirm(f"Send load to {named}?", err=True)
    if not agreed:
        raise UsageError("nothing was sent")


def _statement(named: str, found: tuple[Stranger, ...]) -> str:
    verb = "is" if len(found) == 1 else "are"
    return f"{named} {verb} neither this machine nor listed under target.allow_hosts"


def _is_attended() -> bool:
    """Whether somebody is there to answer; build servers set CI and may well have terminals."""
    return sys.stdin.isatty() and sys.stderr.isatty() and not os.environ.get("CI")
