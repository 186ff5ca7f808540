"""Cookies of a recording: those that its responses set are left to the jar, the others are asked for or left out."""

from collections.abc import Iterable

from stressrunner.masking import is_sensitive

__all__ = ["JarOfRecording"]


class JarOfRecording:
    """Knows, as a recording is walked through, which cookies its responses have set."""

    def __init__(self) -> None:
        self._set: set[str] = set()
        self.left_out: dict[
            str, None
        ] = {}  #: names of cookies that no response has set and that let nobody in

    def took(self, cookies: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]]) -> None:
        """Take what a response set, as the recording lists it and as its headers say."""
        self._set |= {name for name, _ in cookies}
        for name, value in headers:
            if name.lower() == "set-cookie":
                self._set |= {line.partition("=")[0].strip() for line in value.split("\n")}

    def unknown(self, cookies: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Return what of a request's cookies only its user can know: credentials that no response has set."""
        found: dict[str, str] = {}
        for name, value in cookies:
            if name in self._set:
                continue
            if is_sensitive(name):
                found[name] = value
            else:
                self.left_out[name] = None
        return tuple(found.items())
