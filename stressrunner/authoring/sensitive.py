"""What must not land in a file: values that look like secrets become `${secret:NAME}`."""

import re
from typing import Any

from stressrunner.authoring.names import UniqueNames, environment_name
from stressrunner.authoring.template_text import has_marks, marked, split_marks
from stressrunner.masking import is_sensitive

__all__ = ["Secrets", "hidden", "looks_secret"]

_TELLING_VALUE = re.compile(
    r"(?:Bearer|Basic|Digest|Token) +\S|eyJ[\w-]{8,}\.[\w-]+\.|(?:sk|pk|ghp|xox[abp])[-_]\w{8,}"
)
_SCHEME = re.compile(r"(Bearer|Basic|Token|ApiKey)\s+(.+)", re.IGNORECASE)


def looks_secret(value: str) -> bool:
    """Whether a value is a credential by its looks, whatever its name says."""
    return _TELLING_VALUE.match(value) is not None


def hidden(text: str) -> str:
    """Return a text whose placeholders for environment variables are masked in all output."""
    return "".join(
        literal + (marked(re.sub(r"^\$\{(?!secret:)", "${secret:", placeholder)) if placeholder else "")
        for literal, placeholder in split_marks(text)
    )


class Secrets:
    """Takes secrets out of requests; the same value under the same name is the same variable."""

    def __init__(self) -> None:
        #: What each environment variable stands for, by its name.
        self.uses: dict[str, str] = {}
        self._names = UniqueNames({"BASE_URL"})
        self._known: dict[tuple[str, str], str] = {}

    def placeholder(self, wish: str, value: str, use: str) -> str:
        """Return the marked placeholder that stands for a secret; `use` says to people where its value was."""
        key = (wish, value)
        if key not in self._known:
            self._known[key] = self._names.take(environment_name(wish, "SECRET"))
            self.uses[self._known[key]] = use
        return marked(f"${{secret:{self._known[key]}}}")

    def header(self, name: str, value: str) -> str:
        """Return the value of a header without its secret; the scheme of credentials stays."""
        if has_marks(value):
            return hidden(value) if is_sensitive(name) else value
        if not value or not (is_sensitive(name) or looks_secret(value)):
            return value
        use = f"the header {name}"
        scheme = _SCHEME.fullmatch(value)
        if scheme is None:
            wish = "AUTHORIZATION" if name.lower() == "authorization" else name
            return self.placeholder(wish, value, use)
        if scheme[1].lower() == "basic":
            wish, use = "BASIC_CREDENTIALS", f"{use}, base64 of user:password"
        else:
            wish = "API_TOKEN"
        return f"{scheme[1]} {self.placeholder(wish, scheme[2], use)}"

    def field(self, name: str, value: str, use: str) -> str:
        """Return the value of a parameter or field, or a placeholder when it is a secret."""
        if has_marks(value):
            return hidden(value) if is_sensitive(name) else value
        if not value or not (is_sensitive(name) or looks_secret(value)):
            return value
        return self.placeholder(name, value, f"{use} {name}")

    def json(self, value: Any, name: str = "") -> Any:
        """Return decoded JSON in which secrets are placeholders, judged by the keys that they stand under."""
        if isinstance(value, str):
            return self.field(name, value, "the field")
        if isinstance(value, dict):
            return {key: self.json(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.json(inner, name) for inner in value]
        return value
