"""Postman collections, v2.0 and v2.1: a flow in their order, folders as its groups, variables kept.

Tests on status and time are checks, and variables that tests set from a response are captures.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from stressrunner.authoring.composing import Composer, SourceRequest
from stressrunner.authoring.draft import Draft
from stressrunner.authoring.flow_order import flow_of, with_known_captures
from stressrunner.authoring.names import (
    endpoint_names,
    environment_name,
    identifier,
    is_token,
    variable_names,
)
from stressrunner.authoring.oauth import with_token_hosts
from stressrunner.authoring.postman_body import body_of, pairs_of
from stressrunner.authoring.postman_text import captures_of, checks_of, filled, with_placeholders
from stressrunner.authoring.sensitive import looks_secret
from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.authoring.template_text import has_marks, is_constant, marked, template_text
from stressrunner.authoring.urls import is_token_url
from stressrunner.errors import UsageError
from stressrunner.masking import is_sensitive

__all__ = ["read_postman"]

_DEEPEST = 50
_ANY_VARIABLE = re.compile(r"\{\{([^{}]+)\}\}")
#: Where a test script sets a variable.
_SETS = re.compile(r"\.set\(|postman\.set\w+Variable\(")


def read_postman(text: str, name: str, composer: Composer, *, in_order: bool) -> Draft:
    """Return the requests of a collection; in its order, or each by itself.

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
    values = _values_of(root)
    set_later = frozenset(_set_by_scripts(root, 0)) - values.keys() if in_order else frozenset()
    reading = _Reading(composer, values, in_order, set_later=set_later)
    found = list(reading.requests(root, (), {}, 0))
    names = endpoint_names()
    requests = with_known_captures(composer.compose(found, names), reading.captured, reading.unknown)
    requests, hosts = with_token_hosts(requests, composer.base_url, composer.notes)
    title = text_of(mapping(root.get("info")).get("name"))
    return Draft(
        title or name,
        "",
        composer.base_url,
        tuple(requests),
        variables=composer.variables,
        allow_hosts=hosts,
        flow=flow_of(requests, names) if in_order else (),
    )


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
    in_order: bool  #: so that what one request sets the later ones know
    captured: dict[str, str] = field(
        default_factory=dict
    )  #: by the names of captures, variables of the collection
    set_later: frozenset[str] = frozenset()  #: variables that have no value until a test script sets it
    _placeholders: dict[str, str] = field(default_factory=dict)

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
            (
                key,
                with_placeholders(
                    value, self._private_placeholder if is_sensitive(key) else self._placeholder
                ),
            )
            for key, value in pairs_of(request.get("header"))
        ]
        body = body_of(mapping(request.get("body")), self._text)
        if body is None:
            mode = text_of(mapping(request.get("body")).get("mode"))
            self.composer.notes.add(place, f"a body of the mode {mode} cannot be sent yet; left out")
            return None
        if body.type and "content-type" not in {name.lower() for name, _ in headers}:
            headers.append(("Content-Type", body.type))
        authorization = self._authorization(mapping(request.get("auth")) or auth, headers, place)
        self._note_scripts(item, place, has_checks=True)
        source = SourceRequest(
            place,
            (text_of(request.get("method")) or "GET").upper(),
            self._url(request.get("url")),
            name=text_of(item.get("name")),
            headers=tuple(headers),
            auth=authorization,
            body=body.text,
            form=body.form,
            parts=body.parts,
            group=place.partition(" / ")[0] if " / " in place and self.in_order else "",
            checks=tuple(
                dict.fromkeys(check for script in _scripts(item, "test") for check in checks_of(script))
            ),
        )
        # Only now: what this request itself sends was there before its response.
        return replace(source, capture=self._captures(item)) if self.in_order else source

    def _captures(self, item: Mapping[str, Any]) -> dict[str, str]:
        """Return what the test scripts of a request set from its response, which later requests know."""
        found = {}
        for script in _scripts(item, "test"):
            for variable, expression in captures_of(script):
                names = [name for name, other in self.captured.items() if other == variable]
                taken = {**self.composer.variables, **self.captured}
                name = names[0] if names else _free(identifier(variable, "captured"), taken)
                self.captured[name] = variable
                self.composer.captured.add(name)
                self._placeholders[variable] = marked(f"{{{{ {name} }}}}")
                found[name] = expression
        return found

    def unknown(self, name: str) -> str:
        """Return what stands for a capture whose request is not sent before, as the language writes it."""
        variable = self.captured[name]
        if self._is_secret(variable):
            return template_text(self._secret_placeholder(variable))
        return f"${{{environment_name(variable, 'VARIABLE')}}}"

    def _text(self, text: str) -> str:
        return with_placeholders(text, self._placeholder)

    def _placeholder(self, name: str) -> str:
        """Return what stands for a variable: a secret or environment variable, or one of the scenario."""
        if name not in self._placeholders:
            self._placeholders[name] = ""  # so that a variable that holds itself ends
            if name in self.values and not self._is_secret(name):
                others = {other: value for other, value in self._plain_values.items() if other != name}
                value = filled(self.values[name], others)
                taken = {**self.composer.variables, **self.captured}
                variable = _free(identifier(name, "variable"), taken)
                self.composer.variables[variable] = template_text(with_placeholders(value, self._placeholder))
                self._placeholders[name] = marked(f"{{{{ {variable} }}}}")
            elif self._is_secret(name):
                self._placeholders[name] = self._secret_placeholder(name)
            else:
                self._placeholders[name] = marked(f"${{{environment_name(name, 'VARIABLE')}}}")
        return self._placeholders[name]

    def _is_secret(self, name: str) -> bool:
        return is_sensitive(name) or looks_secret(self.values.get(name, ""))

    @property
    def _plain_values(self) -> dict[str, str]:
        return {name: value for name, value in self.values.items() if not self._is_secret(name)}

    def _secret_placeholder(self, name: str) -> str:
        value = self.values.get(name, "")
        return self.composer.secrets.placeholder(name, value, f"the variable {name} of the collection")

    def _private_placeholder(self, name: str) -> str:
        """Return what stands for a variable where credentials are: a secret, unless it was captured."""
        return self._placeholders[name] if name in self.captured.values() else self._secret_placeholder(name)

    def _secret(self, wish: str, text: str, use: str) -> str:
        """Return a text that lets someone in: its variables are secrets, whatever they are called, or all of it is."""
        held = with_placeholders(text, self._private_placeholder)
        return held if has_marks(held) or not held else self.composer.secrets.placeholder(wish, held, use)

    def _url(self, url: Any) -> str:
        """Return a URL with placeholders; its origin, which the scenario must know, with all values filled in."""
        raw = text_of(url) or text_of(mapping(url).get("raw"))
        for name, value in pairs_of(mapping(url).get("variable")):
            raw = raw.replace(f"/:{name}", f"/{quote(value, safe='{}') if value else f'{{{{{name}}}}}'}")
        scheme, colon, rest = raw.partition("://")
        if not colon:
            scheme, rest = "", raw
        authority, slash, path = rest.partition("/")
        origin = filled(f"{scheme}{colon}{authority}", self._plain_values)
        return with_placeholders(origin, self._placeholder) + slash + self._text(path)

    def _authorization(
        self, auth: Mapping[str, Any], headers: list[tuple[str, str]], place: str
    ) -> Mapping[str, Any] | None:
        """Return what a request is let in with, as the language has it; None for nothing."""
        kind = text_of(auth.get("type"))
        settings = (
            dict(pairs_of(auth.get(kind)))
            if isinstance(auth.get(kind), list)
            else {key: text_of(value) for key, value in mapping(auth.get(kind)).items()}
        )
        if any(name.lower() == "authorization" for name, _ in headers) or kind in ("", "noauth"):
            return None
        if kind == "bearer" and self._is_empty(settings.get("token", "")):
            return None
        if kind == "bearer":
            token = self._secret("API_TOKEN", settings.get("token", ""), "the bearer token")
            return {"bearer": token} if token else None
        if kind == "basic":
            password = self._secret("API_PASSWORD", settings.get("password", ""), "the password")
            return self.composer.basic(self._text(settings.get("username", "")), password)
        if kind == "apikey":
            key, where = settings.get("key") or "apikey", settings.get("in") or "header"
            use = f"the API key {key}"
            value = self._secret(key, settings.get("value", ""), use)
            value = value or self.composer.secrets.placeholder(key, "", use)
            if where == "query" or is_token(key):
                return {"api_key": {"query" if where == "query" else "header": key, "value": value}}
        if kind == "oauth2":
            return self._oauth2(settings, place)
        self.composer.notes.add(place, f"the authentication {kind} is not taken over")
        return None

    def _is_empty(self, text: str) -> bool:
        """Whether a text is one variable that nothing has set yet, as the token is when somebody logs in."""
        found = _ANY_VARIABLE.fullmatch(text.strip())
        name = found[1].strip() if found else ""
        return name in self.set_later and name not in self.captured.values()

    def _oauth2(self, settings: Mapping[str, str], place: str) -> Mapping[str, Any]:
        """Return what OAuth 2.0 asks for: client credentials, or the token that somebody gets in a browser."""
        url = self._constant(settings.get("accessTokenUrl", ""))
        if settings.get("grant_type") == "client_credentials" and is_token_url(url):
            client = {
                "token_url": url,
                "client_id": self._constant(settings.get("clientId", "")) or marked("${OAUTH_CLIENT_ID}"),
                "client_secret": self._secret(
                    "OAUTH_CLIENT_SECRET",
                    settings.get("clientSecret", ""),
                    "the secret of the OAuth 2.0 client",
                )
                or self.composer.secrets.placeholder(
                    "OAUTH_CLIENT_SECRET", "", "the secret of the OAuth 2.0 client"
                ),
            }
            more = {key: self._constant(settings.get(key, "")) for key in ("scope", "audience")}
            return {"oauth2": client | {key: text for key, text in more.items() if text}}
        self.composer.notes.add(place, "the OAuth 2.0 token has to be fetched by hand, and set before a run")
        use = "the OAuth 2.0 access token"
        token = self._secret("API_TOKEN", settings.get("accessToken", ""), use)
        return {"bearer": token or self.composer.secrets.placeholder("API_TOKEN", "", use)}

    def _constant(self, text: str) -> str:
        """Return a text that is known before any request: its variables are values, or the environment's."""
        values = filled(text, self._plain_values)

        def placeholder(name: str) -> str:
            if self._is_secret(name):
                return self._secret_placeholder(name)
            return marked(f"${{{environment_name(name.lstrip('$'), 'VARIABLE')}}}")

        made = _ANY_VARIABLE.sub(lambda found: placeholder(found[1].strip()), values)
        return made if is_constant(made) else ""

    def _note_scripts(self, item: Mapping[str, Any], place: str, *, has_checks: bool) -> None:
        tests, before = list(_scripts(item, "test")), list(_scripts(item, "prerequest"))
        if any(script.strip() for script in before):
            self.composer.notes.add(place, "the script that runs before the request is not taken over")
        is_understood = has_checks and all(
            any(True for _ in (*checks_of(script), *captures_of(script)))
            for script in tests
            if script.strip()
        )
        if any(script.strip() for script in tests) and not is_understood:
            self.composer.notes.add(place, "nothing in the test script can be taken over")
        taken = sum(len(list(captures_of(script))) for script in tests) if self.in_order else 0
        if sum(len(_SETS.findall(script)) for script in tests) > taken:
            self.composer.notes.add(
                place, "not all variables that the test script sets are taken over; see `capture`"
            )


def _set_by_scripts(folder: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield the variables that the test scripts of all requests set."""
    for item in map(mapping, sequence(folder.get("item")) if depth <= _DEEPEST else ()):
        yield from _set_by_scripts(item, depth + 1)
        for script in _scripts(item, "test"):
            yield from (variable for variable, _ in captures_of(script))


def _free(name: str, taken: Mapping[str, Any]) -> str:
    names = variable_names()
    for other in taken:
        names.take(other)
    return names.take(name)


def _scripts(item: Mapping[str, Any], listen: str) -> Iterator[str]:
    for event in map(mapping, sequence(item.get("event"))):
        if event.get("listen") == listen:
            lines = mapping(event.get("script")).get("exec")
            yield lines if isinstance(lines, str) else "\n".join(map(text_of, sequence(lines)))
