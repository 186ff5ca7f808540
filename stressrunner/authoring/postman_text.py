"""What Postman writes into texts and scripts: `{{variables}}`, and tests that can be read as checks."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from stressrunner.authoring.names import EXPRESSION_WORDS
from stressrunner.authoring.template_text import marked

__all__ = ["captures_of", "checks_of", "filled", "with_placeholders"]

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


def with_placeholders(text: str, placeholder: Callable[[str], str]) -> str:
    """Return a text in which every `{{variable}}` is a marked placeholder; `placeholder` makes one of a name."""

    def replace(match: re.Match[str]) -> str:
        name = match[1].strip()
        if not name.startswith("$"):
            return placeholder(name)
        made_up = _MADE_UP.get(name, _ANY_TEXT)
        braces, _, rest = made_up.partition("}}")
        return marked(f"{braces}}}}}") + rest

    return _VARIABLE.sub(replace, text)


def checks_of(script: str) -> Iterator[str]:
    """Yield the checks that can be recognised in a test script, in their order."""
    script = _LINE_COMMENT.sub("", script)
    found = [(match.start(), make(match)) for pattern, make in _TESTS for match in pattern.finditer(script)]
    yield from dict.fromkeys(check for _, check in sorted(found))


_BODY = r"(?:pm\.response\.json\(\)|JSON\.parse\(\s*(?:responseBody|pm\.response\.text\(\))\s*\))"
_STEPS = r"(?:\??\.[A-Za-z_$][\w$]*|(?:\?\.)?\[\s*(?:\d+|'[^'\\\]]*'|\"[^\"\\\]]*\")\s*\])*"
_ALIAS = re.compile(
    rf"(?:\b(?:var|let|const)\s+)?\b([A-Za-z_$][\w$]*)\s*=\s*({_BODY}|[A-Za-z_$][\w$]*)({_STEPS})"
)
_SET = re.compile(
    r"(?:pm\.(?:environment|collectionVariables|globals|variables)\.set|postman\.set\w+Variable)"
    rf"\(\s*(['\"])([^'\"]+)\1\s*,\s*(?:(pm\.response\.headers\.get)\(\s*['\"]([\w-]+)['\"]\s*\)"
    rf"|({_BODY}|[A-Za-z_$][\w$]*)({_STEPS}))\s*\)"
)
_STEP = re.compile(r"\.([A-Za-z_$][\w$]*)|\[\s*(?:(\d+)|'([^']*)'|\"([^\"]*)\")\s*\]")


def captures_of(script: str) -> Iterator[tuple[str, str]]:
    """Yield the variables that a test script sets from the response, each with the expression that captures it."""
    script = _LINE_COMMENT.sub("", script)
    known: dict[str, str] = {}
    found = [(m.start(), m) for pattern in (_ALIAS, _SET) for m in pattern.finditer(script)]
    for _, match in sorted(found, key=lambda each: each[0]):
        if match.re is _ALIAS:
            root = _root(match[2], known)
            if root:
                known[match[1]] = root + _path(match[3])
        elif match[3]:
            yield match[2], f"headers['{match[4].lower()}']"
        elif root := _root(match[5], known):
            path = root + _path(match[6])
            if path != "body":
                yield match[2], path


def _root(text: str, known: Mapping[str, str]) -> str:
    return "body" if re.fullmatch(_BODY, text) else known.get(text, "")


def _path(steps: str) -> str:
    """Return the steps of a path in JavaScript as the language writes them."""
    written = []
    for name, number, *quoted in _STEP.findall(steps):
        key = name or next(filter(None, quoted), "")
        is_plain = re.fullmatch(r"[A-Za-z_]\w*", key) and key not in EXPRESSION_WORDS
        written.append(f"[{number}]" if number else f".{key}" if is_plain else f"['{key}']")
    return "".join(written)
