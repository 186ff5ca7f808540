"""Authorization: what a request carries, what goes before what, and what it does while there is no token."""

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_scenarios import endpoint, plan, request

from stressrunner.expressions import CannotEvaluate
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.plan.tokens import AccessToken, NoToken
from stressrunner.scenario.model import ApiKey, Basic, Bearer, OAuth2

CLIENT = OAuth2("/token", "me", "secret")


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        (Bearer("{{ t }}"), ("Authorization", "Bearer abc")),
        (Bearer("fixed"), ("Authorization", "Bearer fixed")),
        (ApiKey("header", "x-api-key", "{{ t }}"), ("x-api-key", "abc")),
        (Basic("ada", "{{ t }}"), ("Authorization", "Basic YWRhOmFiYw==")),
        (Basic("ada", "abc"), ("Authorization", "Basic YWRhOmFiYw==")),
    ],
)
def test_headers_that_authorize(auth, line):
    """Each kind of authorization is a header line."""
    assert request({"t": "abc"}, auth=auth).headers == (line,)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":")),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_basic_is_read_back(username, password):
    """Whatever name and password are, the server reads them out of the header."""
    made = request({"u": username, "p": password}, auth=Basic("{{ u }}", "{{ p }}"))
    credentials = dict(made.headers)["Authorization"].removeprefix("Basic ")
    assert b64decode(credentials).decode() == f"{username}:{password}"


def test_a_name_with_a_colon_cannot_be_sent():
    """A ':' would end the name."""
    with pytest.raises(CannotEvaluate, match="':'"):
        request({"u": "a:b"}, auth=Basic("{{ u }}", "p"))


def test_a_key_in_the_query():
    """A key may be a query parameter, encoded; one that the endpoint has itself goes before it."""
    key = ApiKey("query", "key", "a b&c")
    assert request(auth=key).target == "/?key=a%20b%26c"
    assert request(auth=key, query={"q": "x"}).target == "/?key=a%20b%26c&q=x"
    assert request(auth=key, query={"key": "own"}).target == "/?key=own"


def test_what_goes_before_what():
    """Authorization goes over the target's headers, and the endpoint's own headers over it."""
    auth = Bearer("new")
    assert request(shared={"authorization": "old"}, auth=auth).headers == (("Authorization", "Bearer new"),)
    assert request(headers={"authorization": "own"}, auth=auth).headers == (("authorization", "own"),)
    assert request(headers={"authorization": None}, auth=auth).headers == ()


def test_constant_authorization_makes_constant_requests():
    """Without placeholders a request with authorization is made once."""
    for auth in (Bearer("a"), Basic("a", "b"), ApiKey("header", "k", "v"), ApiKey("query", "k", "v")):
        template = RequestTemplate(endpoint(auth=auth), Common())
        assert template.render({}) is template.render({"a": 1})


def test_requests_carry_the_token_of_the_moment():
    """A request carries the token that is valid when it is made, and fails under its own kind when there is none."""
    token = AccessToken(CLIENT)
    template = RequestTemplate(endpoint(auth=CLIENT), Common(tokens={CLIENT: token}))
    with pytest.raises(NoToken, match="no access token has been fetched") as caught:
        template.render({})
    assert caught.value.kind == "auth"
    for text in ("one", "two"):
        token.give(text)
        assert template.render({}).headers == (("Authorization", f"Bearer {text}"),)
    token.lose("it is gone")
    with pytest.raises(NoToken, match="it is gone"):
        template.render({})


def test_one_token_for_each_client():
    """Endpoints of the same client share its token."""
    other = OAuth2("/token", "other", "secret")
    endpoints = [
        endpoint("a", auth=CLIENT),
        endpoint("b", auth=OAuth2("/token", "me", "secret")),
        endpoint("c", auth=other),
        endpoint("d"),
    ]
    assert [token.client for token in plan(*endpoints).tokens] == [CLIENT, other]
