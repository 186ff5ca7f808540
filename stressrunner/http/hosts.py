"""Which hosts load may go to: the target's own, those that the scenario lists, and this machine where the target is on it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

__all__ = ["Hosts", "is_this_machine", "listed_host", "lists"]

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def listed_host(text: str) -> str:
    """Return an entry of `target.allow_hosts` in the form that hosts are compared in.

    Raises:
        ValueError: it is neither an address nor a name, which may begin with `*.` for all names below it.
    """
    entry = text.strip().lower().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(entry))
    except ValueError:
        pass
    name = entry.removeprefix("*.")
    try:
        labels = name.encode("idna").decode("ascii").split(".")
    except UnicodeError:
        labels = []
    if not labels or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            f"{text!r} is no host: write the name alone, such as api.example.org or *.example.org"
        )
    return entry[: len(entry) - len(name)] + ".".join(labels)


def lists(entries: Iterable[str], host: str) -> bool:
    """Whether a host, a name in its ASCII form or an address, is among entries as `listed_host` returns them."""
    host = host.lower()
    return any(host.endswith(entry[1:]) if entry.startswith("*.") else host == entry for entry in entries)


def is_this_machine(host: str) -> bool:
    """Whether a host is this machine by its name or address alone; no name is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    inner = getattr(address, "ipv4_mapped", None) or address
    # What is sent to the unspecified address, 0.0.0.0 or ::, arrives here.
    return bool(inner.is_loopback or inner.is_unspecified)


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts that requests may go to."""

    own: str  #: the target's
    listed: tuple[str, ...] = ()  #: as `listed_host` returns them

    def allow(self, host: str) -> bool:
        """Whether a request may go to a host; other ports of this machine are open to targets on it alone."""
        if host == self.own or lists(self.listed, host):
            return True
        return is_this_machine(host) and is_this_machine(self.own)
