"""How a request says who sends it: a header or a query parameter, compiled from what the scenario says under `auth`."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from stressrunner.expressions import CannotEvaluate, compile_template
from stressrunner.expressions.environment import to_text
from stressrunner.plan.headers import HeaderTemplate
from stressrunner.plan.tokens import AccessToken
from stressrunner.scenario.model import ApiKey, Auth, Basic, Bearer, OAuth2

__all__ = ["compile_auth", "query_key"]

Names = Mapping[str, Any]


def compile_auth(auth: Auth | None, tokens: Mapping[OAuth2, AccessToken]) -> HeaderTemplate | None:
    """Return the header that authorizes a request; None where there is none.

    Raises:
        ExpressionError: a text makes no sense.
    """
    match auth:
        case Bearer(token):
            return _prefixed("Authorization", "Bearer ", token)
        case Basic(username, password):
            return _basic(username, password)
        case ApiKey("header", name, value):
            return _prefixed(name, "", value)
        case OAuth2():
            return HeaderTemplate("Authorization", tokens[auth].header, is_constant=False)
    return None


def query_key(auth: Auth | None) -> dict[str, str]:
    """Return the query parameter that authorizes a request, if one does."""
    return {auth.name: auth.value} if isinstance(auth, ApiKey) and auth.place == "query" else {}


def _prefixed(name: str, prefix: str, text: str) -> HeaderTemplate:
    template = compile_template(text)
    return HeaderTemplate(name, lambda names: prefix + to_text(template.render(names)), template.is_constant)


def _basic(username: str, password: str) -> HeaderTemplate:
    """RFC 7617, in UTF-8."""
    user, secret = compile_template(username), compile_template(password)

    def render(names: Names) -> str:
        name = to_text(user.render(names))
        if ":" in name:
            raise CannotEvaluate("the username has a ':' in it, which ends it in basic authentication")
        pair = f"{name}:{to_text(secret.render(names))}"
        return f"Basic {b64encode(pair.encode()).decode('ascii')}"

    return HeaderTemplate("Authorization", render, user.is_constant and secret.is_constant)
