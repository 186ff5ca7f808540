"""From requests as they were seen or written down to the requests of a draft."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from stressrunner.authoring.draft import METHODS, DraftBody, DraftRequest, Notes
from stressrunner.authoring.graphql_body import graphql_value, operation_name
from stressrunner.authoring.multipart import STAND_IN, DraftPart, multipart_value, parts_in
from stressrunner.authoring.names import UniqueNames, identifier, is_id, is_token
from stressrunner.authoring.sensitive import Secrets, hidden
from stressrunner.authoring.template_text import has_marks, marked, split_marks, template_text, template_value
from stressrunner.authoring.urls import (
    UrlParts,
    chosen_base,
    clean_path,
    grouped,
    is_below,
    path_below,
    place_of,
    query_fields,
)

__all__ = ["Composer", "SourceRequest"]

_FORM = "application/x-www-form-urlencoded"
#: What clients make themselves for each request and connection.
_VOLATILE = frozenset(
    {
        "host",
        "content-length",
        "connection",
        "transfer-encoding",
        "te",
        "upgrade",
        "keep-alive",
        "proxy-connection",
        "expect",
        "dnt",
        "priority",
        "upgrade-insecure-requests",
        "if-none-match",
        "if-modified-since",
        "if-range",
        "cache-control",
        "pragma",
    }
)
#: Deeper values are better sent as text than read as YAML.
_DEEPEST = 60
_WORDS_OF_SECRETS = re.compile(r"password|passwd|secret|token|api[-_]?key", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceRequest:
    """A request as it was found; placeholders in its texts are marked."""

    place: str  #: for notes
    method: str
    url: str
    name: str = ""  #: that it has in the source
    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()  #: further parameters, not encoded
    body: str = ""
    form: tuple[tuple[str, str], ...] = ()  #: fields of a URL-encoded form, not encoded, instead of a body
    timeout: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    weight: int = 1
    follow_redirects: bool = False
    is_insecure: bool = False  #: certificates are not checked
    comment: str = ""
    auth: Mapping[str, Any] | None = None  #: as the language has it, placeholders marked
    parts: tuple[DraftPart, ...] = ()  #: of a multipart form, instead of a body
    cookies: tuple[tuple[str, str], ...] = ()
    capture: Mapping[str, Any] = field(default_factory=dict)  #: as the language writes it
    group: str = ""  #: that it belongs to, such as a folder
    fails_in_body: bool = False  #: the response that was recorded had GraphQL errors


@dataclass(slots=True)
class Composer:
    """Makes requests of a draft: one base URL, secrets taken out, the rest noted."""

    notes: Notes
    secrets: Secrets
    wished_base: str = ""
    base_url: str = ""  #: the default for BASE_URL, once requests were composed
    verify_tls: bool = True
    captured: set[str] = field(
        default_factory=set
    )  #: names of captures, whose values have types of their own
    variables: dict[str, Any] = field(default_factory=dict)  #: of the scenario, as the language writes them

    def basic(self, user: str, password: str) -> Mapping[str, Any]:
        """Return the `auth` of a user and a password, of which the password is no text of the file."""
        if not has_marks(user + password) and not password:
            user = self.secrets.placeholder(
                "API_KEY", user, "the user name, which is a key where there is no password"
            )
        elif not has_marks(password):
            password = self.secrets.placeholder(
                "API_PASSWORD", password, "the password of basic authentication"
            )
        return {"basic": {"username": user, "password": hidden(password)}}

    def compose(self, found: Iterable[SourceRequest], names: UniqueNames) -> list[DraftRequest]:
        """Return the requests that go to the one base URL, named; what cannot be sent is noted."""
        placed = [(request, place) for request in found if (place := self._place(request)) is not None]
        if not placed:
            return []
        prefix, self.base_url = chosen_base((place for _, place in placed), self.wished_base)
        drafts = []
        for source, place in placed:
            request = source
            if not is_below(place, prefix):
                problem = f"goes to {_shown(place.origin)} instead of {_shown(prefix)}; left out"
                self.notes.add(request.place, problem)
                continue
            given = any(name.lower() == "authorization" for name, _ in request.headers)
            if place.credentials and not given and request.auth is None:
                request = replace(request, auth=self.basic(*place.credentials.partition(":")[::2]))
            draft = self._draft(request, path_below(place, prefix))
            self.verify_tls = self.verify_tls and not request.is_insecure
            drafts.append(replace(draft, name=names.take(draft.name)))
        return drafts

    def _place(self, request: SourceRequest) -> UrlParts | None:
        if request.method.lower() not in METHODS:
            self.notes.add(request.place, f"the method {request.method} cannot be sent; left out")
            return None
        try:
            place = place_of(request.url)
        except ValueError as error:
            self.notes.add(request.place, f"{error}; left out")
            return None
        return place

    def _draft(self, request: SourceRequest, target: str) -> DraftRequest:
        bare, _, raw_query = target.partition("?")
        fields = query_fields(raw_query)
        path = clean_path(bare)
        if fields is None:
            path += "?" + clean_path(self._raw_query(raw_query))
            fields = {}
        fields |= grouped(request.query)
        auth, request = self._auth(request)
        body, headers = self._body(request, self._headers(request))
        operation = body.value.get("operation", "") if body is not None and body.key == "graphql" else ""
        return DraftRequest(
            name=identifier(request.name, "") or identifier(operation, "") or path_name(request.method, bare),
            method=request.method.lower(),
            path=template_text(path),
            query=self._fields(fields, "the query parameter"),
            headers={name: template_text(value) for name, value in headers.items()},
            cookies={
                name: template_text(self.secrets.field(name, value, "the cookie"))
                for name, value in request.cookies
                if fits_cookie(name, value)
            },
            auth=None if auth is None else template_value(auth),
            body=body,
            timeout=request.timeout,
            follow_redirects=request.follow_redirects,
            checks=request.checks,
            capture=request.capture,
            weight=request.weight,
            comment=request.comment,
            group=request.group,
        )

    def _auth(self, request: SourceRequest) -> tuple[Mapping[str, Any] | None, SourceRequest]:
        """Return what an `Authorization` header says in the language's own words, and the request without it."""
        given = [value for name, value in request.headers if name.lower() == "authorization"]
        if request.auth is not None or len(given) != 1:
            return request.auth, request
        scheme, _, credential = given[0].strip().partition(" ")
        credential = credential.strip()
        auth: Mapping[str, Any] | None = None
        if scheme.lower() == "bearer" and credential:
            auth = {
                "bearer": self.secrets.header("authorization", f"Bearer {credential}").removeprefix("Bearer ")
            }
        elif scheme.lower() == "basic" and not has_marks(credential):
            pair = _user_and_password(credential)
            auth = None if pair is None else self.basic(*pair)
        if auth is None:
            return None, request
        headers = tuple(pair for pair in request.headers if pair[0].lower() != "authorization")
        return auth, replace(request, headers=headers)

    def _raw_query(self, query: str) -> str:
        """Take the secrets out of a query that is not all name=value pairs."""
        pieces = []
        for piece in query.split("&"):
            name, equals, value = piece.partition("=")
            pieces.append(name + equals + self.secrets.field(name, unquote(value), "the query parameter"))
        return "&".join(pieces)

    def _fields(self, fields: Mapping[str, str | list[str]], use: str) -> dict[str, str | list[str]]:
        return {
            name: [template_text(self.secrets.field(name, item, use)) for item in value]
            if isinstance(value, list)
            else template_text(self.secrets.field(name, value, use))
            for name, value in fields.items()
        }

    def _headers(self, request: SourceRequest) -> dict[str, str]:
        """Return the headers that are worth sending, secrets taken out; repeated ones are joined."""
        headers: dict[str, str] = {}
        for name, raw in request.headers:
            lower = name.lower()
            if lower in _VOLATILE or lower.startswith(("sec-", ":")):
                continue
            if not is_token(name):
                self.notes.add(request.place, f"'{name[:60]}' is no header name; left out")
                continue
            value = self.secrets.header(lower, " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", raw).split()))
            separator = "; " if lower == "cookie" else ", "
            headers[lower] = f"{headers[lower]}{separator}{value}" if lower in headers else value
        return headers

    def _body(
        self, request: SourceRequest, headers: dict[str, str]
    ) -> tuple[DraftBody | None, dict[str, str]]:
        """Return the body, and the headers without the content type that it brings along."""
        parts = request.parts or parts_in(request.body, headers.get("content-type", ""))
        if parts:
            rest = {name: value for name, value in headers.items() if name != "content-type"}
            return self.multipart(parts, request.place), rest
        if request.form:
            return self._form(grouped(request.form)), _without(headers, "content-type", _FORM)
        if not request.body:
            return None, headers
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json" or kind.endswith("+json"):
            value = _decoded(request.body)
            if value is None and self.captured:
                value = _decoded(self._with_quoted_captures(request.body))
            if value is not None:
                return self._json(request, value, headers)
        fields = query_fields(request.body) if kind == _FORM else None
        if fields is not None:
            return self._form(fields), _without(headers, "content-type", _FORM)
        if _WORDS_OF_SECRETS.search(request.body):
            self.notes.add(request.place, "the body may hold secrets, look at it; it is taken over as it is")
        return DraftBody("body", template_text(request.body)), headers

    def _with_quoted_captures(self, body: str) -> str:
        """Return JSON in which captures stand as texts, which a text of one placeholder means: it keeps the type of its value."""
        placeholders = "|".join(re.escape(marked(f"{{{{ {name} }}}}")) for name in self.captured)
        return re.sub(rf"(?<=[:\[,\s])({placeholders})(?=\s*[,\]}}])", r'"\1"', body)

    def _json(
        self, request: SourceRequest, value: Any, headers: dict[str, str]
    ) -> tuple[DraftBody, dict[str, str]]:
        rest = _without(headers, "content-type", "application/json")
        is_post = request.method.upper() == "POST" and not request.fails_in_body
        if is_post and operation_name(value) is not None and not has_marks(value["query"]):
            return DraftBody("graphql", graphql_value(value, self.secrets)), rest
        clean = self.secrets.json(value)
        if fits_json(clean):
            return DraftBody("json", template_value(clean)), rest
        return DraftBody("body", template_text(json.dumps(clean, ensure_ascii=False))), headers

    def multipart(self, parts: Sequence[DraftPart], place: str) -> DraftBody | None:
        """Return a form of parts, and note the files that are not read; None when none has a name."""
        for part in parts:
            if STAND_IN in part.content:
                problem = f"the file '{part.filename or part.name}' is not read; random text is sent for it"
                self.notes.add(place, f"{problem}, or write 'file' with a path")
        value = multipart_value(parts, self.secrets)
        return DraftBody("multipart", value) if value else None

    def _form(self, fields: Mapping[str, str | list[str]]) -> DraftBody:
        return DraftBody("form", self._fields(fields, "the field"))


def _user_and_password(credential: str) -> tuple[str, str] | None:
    """Return what the credential of basic authentication stands for; None when it is none."""
    try:
        pair = base64.b64decode(credential, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = pair.partition(":")
    return (user, password) if colon and pair.isprintable() else None


def _shown(origin: str) -> str:
    return "".join(literal + placeholder for literal, placeholder in split_marks(origin))


def _without(headers: dict[str, str], name: str, value: str) -> dict[str, str]:
    """Leave a header out that says no more than is understood."""
    same = headers.get(name, "").lower().replace(" ", "") in (value, f"{value};charset=utf-8")
    return {n: v for n, v in headers.items() if n != name} if same else headers


def path_name(method: str, path: str) -> str:
    """Return a name for a request without one: `get_users_id` for `/users/42`."""
    general = "/".join("id" if is_id(step) else step for step in unquote(path).split("/"))
    words = "".join(literal + " " + placeholder for literal, placeholder in split_marks(general))
    return (
        identifier(f"{method.lower()} {words}", "request") if words.strip("/ ") else f"{method.lower()}_root"
    )


def _decoded(text: str) -> Any:
    """Return JSON decoded, or None where it is none, or is null."""
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def fits_cookie(name: str, value: str) -> bool:
    """Whether HTTP can carry a cookie as it is."""
    return is_token(name) and ";" not in value and not re.search(r"[\x00-\x1f\x7f]", value)


def fits_json(value: Any, depth: int = 0) -> bool:
    """Whether decoded JSON can stand under `json` in a scenario and mean the same there."""
    if depth > _DEEPEST:
        return False
    if value is None:
        return depth > 0  # `json: null` is as if the key were not there
    if isinstance(value, dict):
        return "$payload" not in value and all(
            not has_marks(key) and fits_json(inner, depth + 1) for key, inner in value.items()
        )
    if isinstance(value, list):
        return all(fits_json(inner, depth + 1) for inner in value)
    if isinstance(value, float):
        return value - value == 0  # neither infinite nor no number
    return not isinstance(value, int) or abs(value) < 10**300
