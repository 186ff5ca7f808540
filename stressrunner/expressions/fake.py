"""Made-up people and things, by the package mimesis: `fake.name`, `fake.email`, and so on.

All fields of one `fake` belong to one person, and depend on the seed, the iteration and the use alone. Addresses are
of example.com, so that nobody ever gets mail of a load test.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mimesis import Generic

__all__ = ["FAKE_FIELDS", "Fake", "problem_of_package"]


class Fake(Mapping[str, Any]):
    """The made-up person of one use, each field made when it is first asked for."""

    __slots__ = ("_kept", "_parts")

    def __init__(self, *parts: object) -> None:
        """Make up somebody who depends on the parts alone, in their order."""
        self._parts = parts
        self._kept: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a field; raises KeyError where there is none."""
        if name not in self._kept:
            self._kept[name] = _MAKERS[name](self)
        return self._kept[name]

    def drawn(self, topic: str, method: str) -> Any:
        """Return what a provider of mimesis makes up; each is seeded anew, as a new one would take milliseconds."""
        provider = getattr(_providers(), topic)
        parts = "\x1f".join(map(str, (*self._parts, method))).encode()
        provider.reseed(int.from_bytes(hashlib.blake2b(parts, digest_size=8).digest()))
        return getattr(provider, method)()

    def __iter__(self) -> Iterator[str]:
        return iter(_MAKERS)

    def __len__(self) -> int:
        return len(_MAKERS)


@cache
def _providers() -> "Generic":
    from mimesis import Generic, Locale  # noqa: PLC0415  an extra, and 170 ms

    return Generic(Locale.EN)


def _email(fake: Fake) -> str:
    name = f"{fake['first_name']}.{fake['last_name']}".lower().replace(" ", "").replace("'", "")
    return f"{name}.{fake.drawn('cryptographic', 'uuid')[:6]}@example.com"


def _made(topic: str, method: str) -> Callable[[Fake], Any]:
    return lambda fake: fake.drawn(topic, method)


_MAKERS: Mapping[str, Callable[[Fake], Any]] = {
    "name": lambda fake: f"{fake['first_name']} {fake['last_name']}",
    "first_name": _made("person", "first_name"),
    "last_name": _made("person", "last_name"),
    "email": _email,
    "phone": _made("person", "phone_number"),
    "job": _made("person", "occupation"),
    "company": _made("finance", "company"),
    "street": _made("address", "address"),
    "postal_code": _made("address", "postal_code"),
    "city": _made("address", "city"),
    "country": _made("address", "country"),
    "word": _made("text", "word"),
    "sentence": _made("text", "sentence"),
    "text": _made("text", "text"),
}
FAKE_FIELDS = frozenset(_MAKERS)


def problem_of_package(*, is_there: bool | None = None) -> tuple[str, str] | None:
    """Return message and hint where the package that makes things up is missing; `is_there` unless it is looked for."""
    if is_there is None:
        is_there = find_spec("mimesis") is not None
    return (
        None
        if is_there
        else ("'fake' needs the package mimesis", "install it with: pip install 'stressrunner[fake]'")
    )
