"""OpenAPI 3.0 and 3.1 and Swagger 2.0: every operation is an endpoint, filled in with what its schemas allow.

Reads are sent and writes are only written down (weight 0): a description does not say what may be written to.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from stressrunner.authoring.composing import Composer, fits_cookie, fits_json, path_name
from stressrunner.authoring.draft import METHODS, Draft, DraftBody, DraftRequest
from stressrunner.authoring.multipart import STAND_IN, DraftPart, file_part
from stressrunner.authoring.names import endpoint_names, identifier, is_token, variable_names
from stressrunner.authoring.oauth import with_token_hosts
from stressrunner.authoring.openapi_document import ApiDocument
from stressrunner.authoring.openapi_security import Security
from stressrunner.authoring.openapi_values import files_of, has_own_value, value_of
from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.authoring.template_text import marked, template_text, template_value
from stressrunner.authoring.urls import clean_path, names_a_host

__all__ = ["read_openapi"]

_MOST_NAMED = 5  #: files in one note
_SAFE = frozenset({"get", "head", "options"})
_FORM = "application/x-www-form-urlencoded"
_SUCCESS = re.compile(r"2\d\d")

Parameters = Sequence[Mapping[str, Any]]


def read_openapi(text: str, name: str, composer: Composer) -> Draft:
    """Return the operations of a description.

    Raises:
        UsageError: the text is no description of an API.
    """
    document = ApiDocument(text, name)
    files = document.files()
    if files:
        shown = ", ".join([*files[:_MOST_NAMED], *["..."][: len(files) > _MOST_NAMED]])
        composer.notes.add("", f"references to other files are not followed, bundle them into one: {shown}")
    return _Reading(document, composer).draft(name)


class _Reading:
    """Goes through one document."""

    def __init__(self, document: ApiDocument, composer: Composer) -> None:
        self._document = document
        self._composer = composer
        self._security = Security(document, composer)
        self._names = endpoint_names()
        self._variable_names = variable_names()
        self._variables: dict[tuple[str, str], str] = {}  #: names by parameter and text

    def draft(self, name: str) -> Draft:
        """Return all operations."""
        base, prefix = self._server()
        found = [
            self._request(prefix + path, method.lower(), operation, parameters)
            for path, method, operation, parameters in self._document.operations()
        ]
        base = self._composer.wished_base.rstrip("/") or base
        kept = [request for request in found if request is not None]
        requests, hosts = with_token_hosts(kept, base, self._composer.notes)
        title = text_of(mapping(self._document.root.get("info")).get("title"))
        variables = {variable: text for (_, text), variable in self._variables.items()}
        return Draft(title or name, "", base, tuple(requests), variables=variables, allow_hosts=hosts)

    def _server(self) -> tuple[str, str]:
        """Return the first server as a base URL, or its path when it has no host."""
        root = self._document.root
        if self._document.is_swagger:
            schemes = [scheme for scheme in sequence(root.get("schemes")) if scheme in ("http", "https")]
            host = text_of(root.get("host"))
            base = f"{(schemes or ['https'])[0]}://{host}" if host else ""
            url = base + text_of(root.get("basePath"))
        else:
            server = mapping(next(iter(sequence(root.get("servers"))), {}))
            url = text_of(server.get("url"))
            for name, variable in mapping(server.get("variables")).items():
                url = url.replace(f"{{{name}}}", str(mapping(variable).get("default", "")))
        url = url.rstrip("/")
        parts = re.fullmatch(r"(https?://[^/?#{}@\s]+)(/[^?#{}\s]*)?", url)
        if parts is not None and names_a_host(url):
            if any(_is_beside(token_url, parts[1], url) for token_url in self._security.token_urls()):
                return parts[1], parts[2] or ""
            return url, ""
        if url and not url.startswith("/"):
            self._composer.notes.add("servers", f"'{url[:80]}' is no base URL; set BASE_URL")
        return "", url if url.startswith("/") else ""

    def _request(
        self, path: str, method: str, operation: Mapping[str, Any], parameters: Parameters
    ) -> DraftRequest | None:
        place = f"{method.upper()} {path}"
        if method not in METHODS:
            self._composer.notes.add(place, "the method cannot be sent; left out")
            return None
        body, has_all = self._body(operation, parameters, place)
        if not has_all:
            return None
        credentials = self._security.credentials(operation, place)
        query = {**self._fields(parameters, "query"), **credentials.query}
        headers = {**self._header_fields(parameters), **credentials.headers}
        cookies = {**self._fields(parameters, "cookie"), **credentials.cookies}
        if body is not None and body.key == "body":
            headers["content-type"] = self._media_type(operation) or "text/plain"
        name = identifier(text_of(operation.get("operationId")), "") or path_name(method, path)
        return DraftRequest(
            name=self._names.take(name),
            method=method,
            path=template_text(self._path(path, parameters, place)),
            query={key: template_value(value) for key, value in query.items()},
            headers={key: template_text(value) for key, value in headers.items()},
            cookies={
                key: template_text(_as_text(value))
                for key, value in cookies.items()
                if fits_cookie(key, _as_text(value))
            },
            auth=template_value(credentials.auth[0]) if credentials.auth else None,
            body=body,
            checks=_checks(operation),
            weight=int(method in _SAFE),
            comment=text_of(operation.get("summary")),
        )

    def _path(self, path: str, parameters: Parameters, place: str) -> str:
        """Return the path with a variable for each parameter."""
        by_name = {text_of(p.get("name")): p for p in parameters if p.get("in") == "path"}

        def fill(match: re.Match[str]) -> str:
            parameter = by_name.get(match[1], {})
            text = template_text(_as_text(self._parameter_value(parameter)))
            variable = self._variable(match[1], text)
            if not self._is_given(parameter):
                problem = (
                    f"the path parameter {match[1]} has no example; give variables.{variable} one that exists"
                )
                self._composer.notes.add(place, problem)
            return marked(f"{{{{ {variable} }}}}")

        filled = re.sub(r"\{([^{}/]*)\}", fill, path.partition("?")[0].partition("#")[0])
        return clean_path(filled if filled.startswith("/") else f"/{filled}")

    def _variable(self, parameter: str, text: str) -> str:
        """Return the variable for a path parameter, the same for the same parameter and text."""
        key = (parameter, text)
        if key not in self._variables:
            self._variables[key] = self._variable_names.take(identifier(parameter, "parameter"))
        return self._variables[key]

    def _is_given(self, parameter: Mapping[str, Any]) -> bool:
        return any(has_own_value(self._document, source) for source in (parameter, parameter.get("schema")))

    def _parameter_value(self, parameter: Mapping[str, Any]) -> Any:
        """Return what a parameter is sent with; in Swagger 2.0 it is a schema itself."""
        content = mapping(next(iter(mapping(parameter.get("content")).values()), {}))
        own = {key: parameter[key] for key in ("example", "examples") if key in parameter}
        schema = parameter.get("schema") or content.get("schema") or parameter
        value = (
            value_of(self._document, {"type": "string", **own}) if own else value_of(self._document, schema)
        )
        return "" if value is None else value

    def _fields(self, parameters: Parameters, where: str) -> dict[str, str | list[str]]:
        """Return the parameters of one place that are required, and those with an example of their own."""
        fields: dict[str, str | list[str]] = {}
        for parameter in parameters:
            name = text_of(parameter.get("name"))
            is_wanted = parameter.get("required") is True or "example" in parameter
            if parameter.get("in") != where or not name or not is_wanted:
                continue
            value = self._parameter_value(parameter)
            if isinstance(value, list):
                texts = [_as_text(item) for item in value]
                is_apart = parameter.get("explode", not self._document.is_swagger) is True
                fields[name] = texts if is_apart and len(texts) > 1 else ",".join(texts)
            else:
                fields[name] = self._composer.secrets.field(name, _as_text(value), f"the {where} parameter")
        return fields

    def _header_fields(self, parameters: Parameters) -> dict[str, str]:
        headers = {}
        for name, value in self._fields(parameters, "header").items():
            if is_token(name):
                text = value if isinstance(value, str) else ", ".join(value)
                headers[name.lower()] = self._composer.secrets.header(name.lower(), " ".join(text.split()))
        return headers

    def _media_type(self, operation: Mapping[str, Any]) -> str:
        """Return the media type in which a body is sent: JSON, or a form, or the first."""
        if self._document.is_swagger:
            kinds = sequence(operation.get("consumes")) or sequence(self._document.root.get("consumes"))
        else:
            kinds = list(mapping(self._document.resolve(operation.get("requestBody")).get("content")))
        texts = [kind for kind in kinds if isinstance(kind, str)]
        preferred = [kind for kind in texts if _is_json(kind)] or [kind for kind in texts if kind == _FORM]
        return (preferred or texts or [""])[0]

    def _body(
        self, operation: Mapping[str, Any], parameters: Parameters, place: str
    ) -> tuple[DraftBody | None, bool]:
        """Return the body, and whether the operation can be sent at all."""
        kind = self._media_type(operation)
        schema: Mapping[str, Any] = {}
        if self._document.is_swagger:
            fields = [p for p in parameters if p.get("in") == "formData"]
            whole = next((p for p in parameters if p.get("in") == "body"), None)
            if any(p.get("type") == "file" for p in fields) or (fields and kind.startswith("multipart/")):
                values = {text_of(p.get("name")): self._parameter_value(p) for p in fields}
                files = {text_of(p.get("name")): "" for p in fields if p.get("type") == "file"}
                return self._multipart(values, files, place), True
            if fields:
                return self._form({text_of(p.get("name")): self._parameter_value(p) for p in fields}), True
            if whole is None:
                return None, True
            schema, kind = mapping(whole.get("schema")), kind or "application/json"
        else:
            content = mapping(self._document.resolve(operation.get("requestBody")).get("content"))
            if not content:
                return None, True
            media = self._document.resolve(content[kind])
            own = {key: media[key] for key in ("example", "examples") if key in media}
            schema = own or mapping(media.get("schema"))
            if kind.startswith("multipart/"):
                files = files_of(self._document, media)
                return self._multipart(mapping(value_of(self._document, schema)), files, place), True
        if kind in ("application/octet-stream", "application/pdf") or kind.startswith(("image/", "audio/")):
            self._composer.notes.add(place, f"random text is sent for the body of {kind}; see 'body_file'")
            return DraftBody("body", template_text(STAND_IN)), True
        if not (_is_json(kind) or kind == _FORM or kind.startswith("text/")):
            self._composer.notes.add(place, f"a body of {kind or 'no type'} cannot be made; left out")
            return None, False
        return self._body_of(kind, value_of(self._document, schema)), True

    def _body_of(self, kind: str, value: Any) -> DraftBody:
        clean = self._composer.secrets.json(value)
        if kind == _FORM and isinstance(clean, dict):
            return self._form(clean)
        if _is_json(kind) and fits_json(clean):
            return DraftBody("json", template_value(clean))
        return DraftBody("body", template_text(_as_text(clean)))

    def _form(self, fields: Mapping[str, Any]) -> DraftBody:
        texts = {name: _as_text(value) for name, value in fields.items() if name}
        secrets = self._composer.secrets
        return DraftBody(
            "form",
            {name: template_text(secrets.field(name, text, "the field")) for name, text in texts.items()},
        )

    def _multipart(self, values: Mapping[str, Any], files: Mapping[str, str], place: str) -> DraftBody | None:
        """Return a form of parts; `files` are those that are files, with their media types where these are given."""
        parts = []
        for name, value in values.items():
            if name in files:
                parts.append(file_part(name, f"{name}.bin", files[name]))
            else:
                kind = "application/json" if isinstance(value, dict | list) else ""
                parts.append(DraftPart(name, _as_text(value), "", kind))
        return self._composer.multipart(parts, place)


def _is_beside(url: str, origin: str, base: str) -> bool:
    """Whether a URL is on the host of the base and not below it, so that paths have to begin at the host."""
    return url.startswith(f"{origin}/") and not url.startswith(f"{base}/")


def _is_json(kind: str) -> bool:
    bare = kind.partition(";")[0].strip().lower()
    return bare == "application/json" or bare.endswith("+json")


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _checks(operation: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a check for the documented successes, when they are given as numbers."""
    codes = sorted(code for code in mapping(operation.get("responses")) if _SUCCESS.fullmatch(str(code)))
    if not codes:
        return ()
    return (f"status == {codes[0]}" if len(codes) == 1 else f"status in ({', '.join(codes)})",)
