"""`curl` commands as requests: what they would send, without running them or reading the files they name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from stressrunner.authoring.composing import Composer, SourceRequest
from stressrunner.authoring.curl_options import curl_options, form_parts
from stressrunner.authoring.draft import Draft
from stressrunner.authoring.multipart import DraftPart
from stressrunner.authoring.names import endpoint_names
from stressrunner.authoring.shell_words import ShellSyntaxError, shell_commands
from stressrunner.authoring.template_text import has_marks, marked
from stressrunner.errors import UsageError
from stressrunner.masking import is_sensitive

__all__ = ["read_curl"]

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_FORM = "application/x-www-form-urlencoded"
_SECONDS = re.compile(r"0*(\d{1,6}(?:\.\d{1,3})?)")
_NOT_TAKEN = {
    "proxy": "the proxy is not taken over; set target.proxy",
    "cert": "the client certificate is not taken over; set target.tls",
    "key": "the client key is not taken over; set target.tls",
    "cacert": "the authority is not taken over; set target.tls.ca",
    "unix-socket": "the Unix socket is not taken over; set target.base_url to http+unix://",
    "resolve": "--resolve is not taken over",
    "connect-to": "--connect-to is not taken over",
    "aws-sigv4": "the AWS signature is not taken over",
    "http2": "HTTP/2 is not taken over; set target.http",
    "digest": "digest authentication is not taken over",
    "next": "--next is not understood: write one command for each request",
}


@dataclass(slots=True)
class _Command:
    """What the options of one command add up to."""

    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: list[str] = field(default_factory=list)  #: parts of one body, joined by `&`
    query: list[str] = field(default_factory=list)  #: encoded
    timeout: dict[str, str] = field(default_factory=dict)
    user: str = ""
    parts: list[DraftPart] = field(default_factory=list)  #: of a multipart form
    is_json: bool = False
    has_body: bool = False
    body_is_query: bool = False
    is_insecure: bool = False
    follow_redirects: bool = False
    obstacle: str = ""  #: why the command cannot be taken over


def read_curl(text: str, name: str, composer: Composer) -> Draft:
    """Return the requests of a text with `curl` commands; `name` is what the scenario is called.

    Raises:
        UsageError: a quote of the text is open.
    """
    found: list[SourceRequest] = []
    try:
        for line, words in _curl_commands(text):
            command = _read(words, f"line {line}", composer)
            found += _requests(command, f"line {line}", composer)
    except ShellSyntaxError as error:
        raise UsageError(f"{name}, line {error.line}: {error}") from error
    requests = composer.compose(found, endpoint_names())
    return Draft(
        name,
        "",
        composer.base_url,
        tuple(requests),
        verify_tls=composer.verify_tls,
    )


def _curl_commands(text: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield the arguments of every `curl` in a script, variables that it assigns filled in."""
    assigned: dict[str, str] = {}

    def expand(variable: str) -> str:
        kind = "secret:" if is_sensitive(variable) else ""
        return assigned.get(variable, marked(f"${{{kind}{variable}}}"))

    for line, command in shell_commands(text, expand):
        words = command[1:] if command[0] in ("export", "$") else command
        while words and (assignment := _ASSIGNMENT.fullmatch(words[0])):
            assigned[assignment[1]] = assignment[2]
            words = words[1:]
        if words and re.fullmatch(r"(?:.*[/\\])?curl(?:\.exe)?", words[0]):
            yield line, words[1:]


def _read(words: Sequence[str], place: str, composer: Composer) -> _Command:
    command = _Command()
    for name, value in curl_options(words):
        if name in _NOT_TAKEN:
            composer.notes.add(place, _NOT_TAKEN[name])
        elif name == "url":
            command.urls.append(value)
        elif name in ("request", "head", "get", "location", "insecure", "max-time", "connect-timeout"):
            _take_manner(command, name, value)
        elif name in (
            "header",
            "user-agent",
            "referer",
            "cookie",
            "oauth2-bearer",
            "compressed",
            "range",
            "user",
        ):
            _take_header(command, name, value)
        elif name.startswith("data") or name in ("json", "url-query"):
            _take_body(command, name, value)
        elif name in ("form", "form-string"):
            command.parts += form_parts(value, is_text=name == "form-string")
        elif name in ("upload-file", "config"):
            command.obstacle = f"--{name} names a file, which is not read"
    return command


def _take_manner(command: _Command, name: str, value: str) -> None:
    """Take what says how a request is sent."""
    if name == "request":
        command.method = value
    elif name == "head":
        command.method = command.method or "HEAD"
    elif name == "get":
        command.body_is_query = True
    elif name == "insecure":
        command.is_insecure = True
    elif name == "location":
        command.follow_redirects = True
    elif (seconds := _SECONDS.fullmatch(value)) and float(seconds[1]):
        command.timeout["total" if name == "max-time" else "connect"] = f"{seconds[1]}s"


def _take_header(command: _Command, name: str, value: str) -> None:
    if name == "header":
        title, colon, content = value.partition(":")
        if colon and content.strip():  # `-H 'Accept:'` takes a header of curl's own away
            command.headers.append((title.strip(), content.strip()))
        elif value.startswith("@"):
            command.obstacle = "-H @file names a file, which is not read"
    elif name == "cookie" and "=" not in value and not has_marks(value):
        command.obstacle = "-b names a file of cookies, which is not read"
    elif name == "oauth2-bearer":
        command.headers.append(("Authorization", f"Bearer {value}"))
    elif name == "compressed":
        command.headers.append(("Accept-Encoding", "gzip, deflate"))
    elif name == "user":
        command.user = value
    elif name == "range":
        command.headers.append(("Range", f"bytes={value}"))
    elif value:
        command.headers.append(
            ({"user-agent": "User-Agent", "referer": "Referer", "cookie": "Cookie"}[name], value)
        )


def _take_body(command: _Command, name: str, value: str) -> None:
    is_encoded = name in ("data-urlencode", "url-query")
    if (value.startswith("@") and name != "data-raw") or (
        is_encoded and re.match(r"[^=]*@", value) and "=" not in value
    ):
        command.obstacle = f"--{name} names a file, which is not read"
        return
    if is_encoded:
        title, equals, content = value.partition("=")
        value = f"{title}={quote_plus(content)}" if equals and title else quote_plus(content or title)
    if name == "url-query":
        command.query.append(value)
        return
    command.has_body = True
    command.is_json |= name == "json"
    # curl takes line ends out of files alone, but joins what several options give.
    command.body = [command.body[0] + value] if name == "json" and command.body else [*command.body, value]


def _requests(command: _Command, place: str, composer: Composer) -> Iterator[SourceRequest]:
    if command.obstacle or not command.urls:
        composer.notes.add(place, f"{command.obstacle or 'there is no URL'}; the command is left out")
        return
    headers = list(command.headers)
    given = {name.lower() for name, _ in headers}
    body = "&".join(command.body)
    query = [*command.query, *([body] if command.body_is_query and body else [])]
    sends_body = command.has_body and not command.body_is_query
    if command.is_json:
        headers += [
            (name, "application/json") for name in ("Content-Type", "Accept") if name.lower() not in given
        ]
    elif sends_body and "content-type" not in given:
        headers.append(("Content-Type", _FORM))
    auth = None
    if command.user and "authorization" not in given:
        auth = composer.basic(*command.user.partition(":")[::2])
    for url in command.urls:
        bare, hash_, fragment = url.partition("#")
        joined = "&".join(query)
        separator = "&" if "?" in bare else "?"
        yield SourceRequest(
            place,
            command.method or ("POST" if sends_body or command.parts else "GET"),
            f"{bare}{separator}{joined}{hash_}{fragment}" if joined else url,
            headers=tuple(headers),
            body=body if sends_body else "",
            auth=auth,
            parts=tuple(command.parts),
            timeout=dict(command.timeout),
            is_insecure=command.is_insecure,
            follow_redirects=command.follow_redirects,
        )
