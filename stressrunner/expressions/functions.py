"""Functions that templates call, and the seeded draws behind them.

What an iteration draws depends on the seed, the iteration and the use alone, so that it repeats, whichever process
runs the iteration: each use has a generator of its own, seeded with a BLAKE2b hash of the three.
"""

import base64 as base64_codec
import hashlib
import string
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from stressrunner.expressions.bounds import MAX_TEXT, check_length, weight
from stressrunner.expressions.environment import to_json, to_text

__all__ = ["CONDITIONS", "FUNCTIONS", "MAX_TEXT", "Draws", "random_stream"]

_MOST_SHUFFLED = 100_000  #: values; each takes a microsecond
#: Names of the functions, for name checks.
FUNCTIONS = frozenset(
    {
        "uuid",
        "now",
        "random_int",
        "random_float",
        "random_string",
        "choice",
        "shuffle",
        "sha256",
        "base64",
        "json",
    }
)

#: Names of the functions that only the condition of a step knows: they tell how the steps before it went.
CONDITIONS = frozenset({"always", "failure"})


def random_stream(*parts: object) -> Random:
    """Return a generator that depends on the parts alone, in their order."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=16).digest()
    return Random(int.from_bytes(digest))  # noqa: S311  load must repeat; nothing secret is drawn


class Draws:
    """The functions of one use in one iteration; its generator is made when something is first drawn."""

    __slots__ = ("_parts", "_random", "_uuid_salt")

    def __init__(self, seed: int, iteration: int, use: object, *, uuid_salt: str = "") -> None:
        """`uuid_salt` makes the UUIDs of two runs differ although they share a seed."""
        self._parts = (seed, iteration, use)
        self._uuid_salt = uuid_salt
        self._random: Random | None = None

    @property
    def _stream(self) -> Random:
        if self._random is None:
            self._random = random_stream(*self._parts)
        return self._random

    def uuid(self) -> str:
        """Return a random UUID (version 4, RFC 9562)."""
        drawn = self._stream.getrandbits(128)
        if self._uuid_salt:
            drawn ^= int.from_bytes(hashlib.blake2b(self._uuid_salt.encode(), digest_size=16).digest())
        return str(UUID(int=drawn, version=4))

    def now(self, form: str = "iso") -> str | float | int:
        """Return the time: `iso` text in UTC, `unix` whole seconds or `unix_ms` milliseconds since 1970."""
        if form == "unix":
            return int(time.time())
        if form == "unix_ms":
            return time.time_ns() // 1_000_000
        if form == "iso":
            return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        raise ValueError(f"now() gives 'iso', 'unix' or 'unix_ms', not {form!r}")

    def random_int(self, low: int, high: int) -> int:
        """Return a whole number between two bounds, both included."""
        if low > high:
            raise ValueError(f"random_int() needs the lower bound first, not {low} and {high}")
        return self._stream.randint(low, high)

    def random_float(self, low: float = 0.0, high: float = 1.0) -> float:
        """Return a number between two bounds."""
        return self._stream.uniform(low, high)

    def random_string(self, length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
        """Return so many characters of an alphabet."""
        if not 0 <= length <= MAX_TEXT:
            raise ValueError(f"random_string() gives 0 to {MAX_TEXT:,} characters, not {length}")
        if not alphabet:
            raise ValueError("random_string() needs an alphabet")
        return "".join(self._stream.choices(alphabet, k=length))

    def choice(self, values: Sequence[Any]) -> Any:
        """Return one of the values."""
        if not len(values):
            raise ValueError("choice() needs a value to choose")
        return self._stream.choice(values)

    def shuffle(self, values: Sequence[Any]) -> list[Any]:
        """Return the values in another order."""
        if len(values) > _MOST_SHUFFLED:
            raise ValueError(f"shuffle() takes at most {_MOST_SHUFFLED:,} values")
        return self._stream.sample(list(values), len(values))

    @staticmethod
    def sha256(value: Any) -> str:
        """Return the SHA-256 of a text in hexadecimal digits."""
        check_length(weight(value), "the text in sha256()")
        return hashlib.sha256(to_text(value).encode()).hexdigest()

    @staticmethod
    def base64(value: Any) -> str:
        """Return a text in base64."""
        check_length(weight(value) * 4 // 3, "the result of base64()")
        text = base64_codec.b64encode(to_text(value).encode()).decode("ascii")
        check_length(len(text), "the result of base64()")
        return text

    @staticmethod
    def json(value: Any) -> str:
        """Return a value as JSON text, a text in quotes."""
        check_length(weight(value), "the result of json()")
        text = to_json(value)
        check_length(len(text), "the result of json()")
        return text

    def function(self, name: str) -> Callable[..., Any]:
        """Return the function of that name; raises KeyError when there is none."""
        if name not in FUNCTIONS:
            raise KeyError(name)
        return getattr(self, name)  # type: ignore[no-any-return]
