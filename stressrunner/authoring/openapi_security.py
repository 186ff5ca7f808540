"""How OpenAPI and Swagger say that requests are let in, in the language's own words."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stressrunner.authoring.composing import Composer
from stressrunner.authoring.names import environment_name, is_token
from stressrunner.authoring.openapi_document import ApiDocument
from stressrunner.authoring.shapes import mapping, sequence, text_of
from stressrunner.authoring.template_text import is_constant, marked
from stressrunner.authoring.urls import is_token_url

__all__ = ["Credentials", "Security"]


class Credentials(NamedTuple):
    """What a request carries to be let in; placeholders are marked."""

    auth: list[Mapping[str, Any]]  #: as the language has it; at most one
    headers: dict[str, str]
    query: dict[str, str]
    cookies: dict[str, str]


class Security:
    """The security schemes of a document."""

    def __init__(self, document: ApiDocument, composer: Composer) -> None:
        self._document = document
        self._composer = composer

    def token_urls(self) -> Iterator[str]:
        """Yield where clients get tokens for their own credentials, with an empty text for schemes without that."""
        return map(self._token_url, map(self._document.resolve, self._schemes().values()))

    def _schemes(self) -> Mapping[str, Any]:
        root = self._document.root
        components = mapping(root.get("components"))
        return mapping(root.get("securityDefinitions")) or mapping(components.get("securitySchemes"))

    def credentials(self, operation: Mapping[str, Any], place: str) -> Credentials:
        """Return what the first way of being let in wants."""
        credentials = Credentials([], {}, {}, {})
        ways = sequence(operation.get("security", self._document.root.get("security")))
        wanted = next((mapping(way) for way in ways if way), {})
        schemes = self._schemes()
        for name, scopes in wanted.items():
            scheme = self._document.resolve(schemes.get(name))
            if not self._let_in(scheme, sequence(scopes), credentials):
                self._composer.notes.add(place, f"the security scheme {name} is not taken over")
        return credentials

    def _let_in(self, scheme: Mapping[str, Any], scopes: list[Any], credentials: Credentials) -> bool:
        """Add what one scheme wants; return whether it is known."""
        secrets = self._composer.secrets
        kind, how = text_of(scheme.get("type")), text_of(scheme.get("scheme")).lower()
        if kind == "apiKey" and scheme.get("in") in ("header", "query", "cookie"):
            return self._add_key(scheme, credentials)
        if credentials.auth:
            return False  # a request says in one way who sends it
        if kind == "basic" or (kind == "http" and how == "basic"):
            secret = secrets.placeholder("API_PASSWORD", "", "the password of basic authentication")
            credentials.auth.append(self._composer.basic(marked("${API_USERNAME}"), secret))
        elif kind == "oauth2" and (url := self._token_url(scheme)):
            secret = secrets.placeholder("OAUTH_CLIENT_SECRET", "", "the secret of the OAuth 2.0 client")
            client = {
                "token_url": url,
                "client_id": marked("${OAUTH_CLIENT_ID}"),
                "client_secret": secret,
                "scope": " ".join(scope for scope in map(text_of, scopes) if is_constant(scope)).strip(),
            }
            credentials.auth.append({"oauth2": {key: text for key, text in client.items() if text}})
        elif kind in ("oauth2", "openIdConnect") or (kind == "http" and how == "bearer"):
            credentials.auth.append({"bearer": secrets.placeholder("API_TOKEN", "", "the bearer token")})
        else:
            return False
        return True

    def _add_key(self, scheme: Mapping[str, Any], credentials: Credentials) -> bool:
        name, where = text_of(scheme.get("name")) or "api_key", text_of(scheme.get("in"))
        if where != "query" and not is_token(name):
            return False
        use = f"the {where} parameter {name}"
        secret = self._composer.secrets.placeholder(environment_name(name, "API_KEY"), "", use)
        if where == "cookie":
            credentials.cookies[name] = secret
        elif not credentials.auth:
            credentials.auth.append({"api_key": {where: name, "value": secret}})
        elif where == "query":
            credentials.query[name] = secret
        else:
            credentials.headers[name.lower()] = secret
        return True

    def _token_url(self, scheme: Mapping[str, Any]) -> str:
        """Return where clients get tokens for their own credentials; empty where they cannot."""
        if scheme.get("flow") == "application":  # Swagger 2.0
            url = text_of(scheme.get("tokenUrl"))
        else:
            url = text_of(mapping(mapping(scheme.get("flows")).get("clientCredentials")).get("tokenUrl"))
        return url if is_token_url(url) and "{" not in url else ""
