"""Postman collections, v2.0 and v2.1: folders flattened, variables kept, tests on status and time as checks."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from stressrunner.authoring.composing import Composer, SourceRequest
from stressrunner.authoring.draft import Draft
from stressrunner.authoring.names import endpoint_names, environment_name, identifier, variable_names
from stressrunner.authoring.postman_text import checks_of, filled, with_holes
from stressrunner.authoring.sensitive import looks_secret
from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.authoring.template_text import has_marks, marked, template_text
from stressrunner.errors import UsageError
from stressrunner.masking import is_sensitive

__all__ = ["read_postman"]

_DEEPEST = 50
_FORM = "application/x-www-form-urlencoded"
_LANGUAGES = {
    "json": "application/json",
    "xml": "application/xml",
    "html": "text/html",
    "javascript": "text/javascript",
}


def read_postman(text: str, name: str, composer: Composer) -> Draft:
    """Return the requests of a collection.

    Raises:
        UsageError: the text is no collection.
    """
    try:
        root = mapping(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name}: this is no JSON: {error}") from error
    root = mapping(root.get("collection")) or root
    if "item" not in root or "info" not in root:
        raise UsageError(f"{name}: this is no Postman collection, which has 'info' and 'item' in it")
    reading = _Reading(composer, _values_of(root))
    found = list(reading.requests(root, (), {}, 0))
    requests = composer.compose(found, endpoint_names())
    title = text_of(mapping(root.get("info")).get("name"))
    return Draft(title or name, "", composer.base_url, tuple(requests), variables=composer.variables)


def _values_of(root: Mapping[str, Any]) -> dict[str, str]:
    """Return the values that the collection gives to its variables."""
    variables = map(mapping, sequence(root.get("variable")))
    return {
        text_of(v.get("key")) or text_of(v.get("id")): v["value"]
        if isinstance(v["value"], str)
        else json.dumps(v["value"])
        for v in variables
        if v.get("value") not in (None, "") and v.get("disabled") is not True
    }


@dataclass(slots=True)
class _Reading:
    """Goes through one collection."""

    composer: Composer
    values: Mapping[str, str]
    _holes: dict[str, str] = field(default_factory=dict)

    def requests(
        self, folder: Mapping[str, Any], above: tuple[str, ...], auth: Mapping[str, Any], depth: int
    ) -> Iterator[SourceRequest]:
        """Yield the requests of a folder and the folders in it, with the authentication that they inherit."""
        auth = mapping(folder.get("auth")) or auth
        if depth > _DEEPEST:
            return
        for item in map(mapping, sequence(folder.get("item"))):
            where = (*above, text_of(item.get("name")) or "request")
            if "item" in item:
                yield from self.requests(item, where, auth, depth + 1)
            elif "request" in item:
                request = self._request(item, " / ".join(where), auth)
                if request is not None:
                    yield request
        self._note_scripts(folder, " / ".join(above) or "collection", has_checks=False)

    def _request(self, item: Mapping[str, Any], place: str, auth: Mapping[str, Any]) -> SourceRequest | None:
        raw = item["request"]
        request = {"url": raw, "method": "GET"} if isinstance(raw, str) else mapping(raw)
        headers = [
            (key, with_holes(value, self._secret_hole if is_sensitive(key) else self._hole))
            for key, value in _pairs(request.get("header"))
        ]
        body = self._body(mapping(request.get("body")), headers, place)
        if body is None:
            return None
        text, form = body
        query = self._authenticate(mapping(request.get("auth")) or auth, headers, place)
        self._note_scripts(item, place, has_checks=True)
        return SourceRequest(
            place,
            (text_of(request.get("method")) or "GET").upper(),
            self._url(request.get("url")),
            name=text_of(item.get("name")),
            headers=tuple(headers),
            query=tuple(query),
            body=text,
            form=tuple(form),
            checks=tuple(
                dict.fromkeys(check for script in _scripts(item, "test") for check in checks_of(script))
            ),
        )

    def _text(self, text: str) -> str:
        return with_holes(text, self._hole)

    def _hole(self, name: str) -> str:
        """Return what stands for a variable: a secret or environment variable, or one of the scenario."""
        if name not in self._holes:
            self._holes[name] = ""  # so that a variable that holds itself ends
            if name in self.values and not self._is_secret(name):
                others = {other: value for other, value in self._plain_values.items() if other != name}
                value = filled(self.values[name], others)
                variable = _free(identifier(name, "variable"), self.composer.variables)
                self.composer.variables[variable] = template_text(with_holes(value, self._hole))
                self._holes[name] = marked(f"{{{{ {variable} }}}}")
            elif self._is_secret(name):
                self._holes[name] = self._secret_hole(name)
            else:
                self._holes[name] = marked(f"${{{environment_name(name, 'VARIABLE')}}}")
        return self._holes[name]

    def _is_secret(self, name: str) -> bool:
        return is_sensitive(name) or looks_secret(self.values.get(name, ""))

    @property
    def _plain_values(self) -> dict[str, str]:
        return {name: value for name, value in self.values.items() if not self._is_secret(name)}

    def _secret_hole(self, name: str) -> str:
        value = self.values.get(name, "")
        return self.composer.secrets.hole(name, value, f"the variable {name} of the collection")

    def _secret(self, wish: str, text: str, use: str) -> str:
        """Return a text that lets someone in: its variables are secrets, whatever they are called, or all of it is."""
        held = with_holes(text, self._secret_hole)
        return held if has_marks(held) or not held else self.composer.secrets.hole(wish, held, use)

    def _url(self, url: Any) -> str:
        """Return a URL with holes; its origin, which the scenario must know, with all values filled in."""
        raw = text_of(url) or text_of(mapping(url).get("raw"))
        for name, value in _pairs(mapping(url).get("variable")):
            raw = raw.replace(f"/:{name}", f"/{quote(value, safe='{}') if value else f'{{{{{name}}}}}'}")
        scheme, colon, rest = raw.partition("://")
        if not colon:
            scheme, rest = "", raw
        authority, slash, path = rest.partition("/")
        origin = filled(f"{scheme}{colon}{authority}", self._plain_values)
        return with_holes(origin, self._hole) + slash + self._text(path)

    def _authenticate(
        self, auth: Mapping[str, Any], headers: list[tuple[str, str]], place: str
    ) -> list[tuple[str, str]]:
        """Add what a request is let in with to its headers; return the query parameters for it."""
        kind = text_of(auth.get("type"))
        settings = (
            dict(_pairs(auth.get(kind)))
            if isinstance(auth.get(kind), list)
            else {key: text_of(value) for key, value in mapping(auth.get(kind)).items()}
        )
        if any(name.lower() == "authorization" for name, _ in headers) or kind in ("", "noauth"):
            return []
        if kind == "bearer":
            token = self._secret("API_TOKEN", settings.get("token", ""), "the bearer token")
            headers.append(("Authorization", f"Bearer {token}"))
        elif kind == "basic":
            password = self._secret("API_PASSWORD", settings.get("password", ""), "the password")
            headers.append(
                ("Authorization", self.composer.basic(self._text(settings.get("username", "")), password))
            )
        elif kind == "apikey":
            key = settings.get("key", "apikey")
            pair = (key, self._secret(key, settings.get("value", ""), f"the API key {key}"))
            if settings.get("in") == "query":
                return [pair]
            headers.append(pair)
        else:
            self.composer.notes.add(place, f"the authentication {kind} is not taken over")
        return []

    def _body(
        self, body: Mapping[str, Any], headers: list[tuple[str, str]], place: str
    ) -> tuple[str, list[tuple[str, str]]] | None:
        """Return text and form of a body, its content type added to the headers; None when it cannot be sent."""
        mode = text_of(body.get("mode"))
        given = {name.lower() for name, _ in headers}
        kind = ""
        text, form = "", []
        if mode == "raw":
            text = self._text(text_of(body.get("raw")))
            language = text_of(mapping(mapping(body.get("options")).get("raw")).get("language"))
            kind = _LANGUAGES.get(language, "text/plain")
        elif mode == "urlencoded":
            form = [(key, self._text(value)) for key, value in _pairs(body.get("urlencoded"))]
            kind = _FORM
        elif mode == "graphql":
            text, kind = self._graphql(mapping(body.get("graphql"))), "application/json"
        elif mode:
            self.composer.notes.add(place, f"a body of the mode {mode} cannot be sent yet; left out")
            return None
        if kind and "content-type" not in given and (text or form):
            headers.append(("Content-Type", kind))
        return text, form

    def _graphql(self, graphql: Mapping[str, Any]) -> str:
        """Return a GraphQL query as the JSON that carries it."""
        variables = text_of(graphql.get("variables")).strip() or "{}"
        query = json.dumps(self._text(text_of(graphql.get("query"))), ensure_ascii=False)
        return f'{{"query": {query}, "variables": {self._text(variables)}}}'

    def _note_scripts(self, item: Mapping[str, Any], place: str, *, has_checks: bool) -> None:
        tests, before = list(_scripts(item, "test")), list(_scripts(item, "prerequest"))
        if any(script.strip() for script in before):
            self.composer.notes.add(place, "the script that runs before the request is not taken over")
        is_understood = has_checks and all(
            any(True for _ in checks_of(script)) for script in tests if script.strip()
        )
        if any(script.strip() for script in tests) and not is_understood:
            self.composer.notes.add(place, "nothing in the test script can be taken over")
        elif any(".set(" in script for script in tests):
            self.composer.notes.add(
                place, "variables that the test script sets are not taken over; see `capture`"
            )


def _free(name: str, taken: Mapping[str, Any]) -> str:
    names = variable_names()
    for other in taken:
        names.take(other)
    return names.take(name)


def _pairs(items: Any) -> list[tuple[str, str]]:
    """Return key and value of each item that is not disabled."""
    return [
        (text_of(item.get("key")), value if isinstance(value := item.get("value"), str) else "")
        for item in map(mapping, sequence(items))
        if text_of(item.get("key")) and item.get("disabled") is not True
    ]


def _scripts(item: Mapping[str, Any], listen: str) -> Iterator[str]:
    for event in map(mapping, sequence(item.get("event"))):
        if event.get("listen") == listen:
            lines = mapping(event.get("script")).get("exec")
            yield lines if isinstance(lines, str) else "\n".join(map(text_of, sequence(lines)))
