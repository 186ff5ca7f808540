"""What Postman writes into texts and scripts: `{{variables}}`, and tests that can be read as checks."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from stressrunner.authoring.template_text import marked

__all__ = ["checks_of", "filled", "with_holes"]

_VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")
#: Variables of variables of variables: more is a circle.
_LONGEST_CHAIN = 10
#: What Postman makes up, as the language makes it up; anything else it knows becomes a random text.
_MADE_UP: Mapping[str, str] = MappingProxyType(
    {
        "$guid": "{{ uuid() }}",
        "$randomUUID": "{{ uuid() }}",
        "$timestamp": "{{ now('unix') }}",
        "$isoTimestamp": "{{ now() }}",
        "$randomInt": "{{ random_int(0, 1000) }}",
        "$randomBoolean": "{{ choice([true, false]) }}",
        "$randomEmail": "{{ random_string(10) }}@example.com",
        "$randomExampleEmail": "{{ random_string(10) }}@example.com",
        "$randomPrice": "{{ random_int(1, 999) }}",
        "$randomPhoneNumber": "{{ random_int(1000000, 9999999) }}",
    }
)
_ANY_TEXT = "{{ random_string(10) }}"

_LINE_COMMENT = re.compile(r"(?<![:\"'])//[^\n]*|/\*.*?\*/", re.DOTALL)
_BE = r"\.to\.(?:be\.)?(?:eql|equal|equals|eq)\("
_TESTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"pm\.response\.to\.have\.status\(\s*(\d{3})\s*\)"), lambda m: f"status == {m[1]}"),
    (
        re.compile(rf"pm\.expect\(\s*pm\.response\.code\s*\){_BE}\s*(\d{{3}})\s*\)"),
        lambda m: f"status == {m[1]}",
    ),
    (re.compile(r"responseCode\.code\s*={2,3}\s*(\d{3})"), lambda m: f"status == {m[1]}"),
    (
        re.compile(r"pm\.expect\(\s*pm\.response\.code\s*\)\.to\.be\.oneOf\(\s*\[([\d,\s]+)\]\s*\)"),
        lambda m: f"status in [{', '.join(re.findall(r'[0-9]+', m[1]))}]",
    ),
    (re.compile(r"pm\.response\.to\.be\.(?:ok|success)\b"), lambda _: "200 <= status < 300"),
    (
        re.compile(
            r"pm\.expect\(\s*pm\.response\.responseTime\s*\)\.to\.be\.(?:below|lessThan)\(\s*(\d{1,7})\s*\)"
        ),
        lambda m: f"response_time < {int(m[1]) / 1000:g}",
    ),
)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with the variables that have a value filled in, values of values too."""
    for _ in range(_LONGEST_CHAIN):
        done = _VARIABLE.sub(lambda m: values.get(m[1].strip(), m[0]), text)
        if done == text or len(done) > 1_000_000:
            break
        text = done
    return text


def with_holes(text: str, hole: Callable[[str], str]) -> str:
    """Return a text in which every `{{variable}}` is a marked hole; `hole` makes one of a name."""

    def replace(match: re.Match[str]) -> str:
        name = match[1].strip()
        if not name.startswith("$"):
            return hole(name)
        made_up = _MADE_UP.get(name, _ANY_TEXT)
        braces, _, rest = made_up.partition("}}")
        return marked(f"{braces}}}}}") + rest

    return _VARIABLE.sub(replace, text)


def checks_of(script: str) -> Iterator[str]:
    """Yield the checks that can be recognised in a test script, in their order."""
    script = _LINE_COMMENT.sub("", script)
    found = [(match.start(), make(match)) for pattern, make in _TESTS for match in pattern.finditer(script)]
    yield from dict.fromkeys(check for _, check in sorted(found))
