"""Postman collections: variables, tests as checks, and secrets wherever they stand."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stressrunner.authoring.importing import Material, import_scenario
from stressrunner.authoring.postman_text import captures_of, checks_of
from stressrunner.errors import UsageError
from stressrunner.masking import is_sensitive
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text


def collection(*items, **parts):
    """Return a collection of these requests."""
    named = [{"name": f"r{i}", "request": request} for i, request in enumerate(items)]
    return json.dumps({"info": {"name": "made"}, "item": named, **parts})


@pytest.mark.parametrize(
    ("script", "checks"),
    [
        ("pm.response.to.have.status(201)", ["status == 201"]),
        ("pm.expect(pm.response.code).to.eql( 200 );", ["status == 200"]),
        ("pm.expect(pm.response.code).to.be.equal(204)", ["status == 204"]),
        ("pm.expect(pm.response.code).to.be.oneOf([200,\n 201])", ["status in [200, 201]"]),
        ('tests["x"] = responseCode.code === 200;', ["status == 200"]),
        ("pm.response.to.be.ok", ["200 <= status < 300"]),
        ("pm.expect(pm.response.responseTime).to.be.below(250)", ["response_time < 0.25"]),
        (
            "pm.expect(pm.response.responseTime).to.be.below(250);pm.response.to.have.status(200)",
            ["response_time < 0.25", "status == 200"],
        ),
        ("// pm.response.to.have.status(200)\n/* pm.response.to.be.ok */", []),
        ("pm.response.to.have.status('OK')", []),
        ("pm.expect(pm.response.json().ok).to.be.true", []),
    ],
)
def test_tests_become_checks(script, checks):
    """Tests on status and time become checks in their order; others, and what is commented out, do not."""
    assert list(checks_of(script)) == checks


texts = st.text(
    st.characters(exclude_characters="\0\r\ue000\ue001", exclude_categories=["Cs"]), max_size=20
).filter(lambda text: "{{" not in text)


@settings(max_examples=25)
@given(st.dictionaries(texts.filter(lambda text: not is_sensitive(text)), texts, max_size=4), texts)
def test_json_bodies_with_variables_arrive_filled(fields, value):
    """A body is sent as Postman would send it: the variable in its place, everything else to the letter."""
    variables = [{"key": "v", "value": value or "x"}]
    request = {
        "method": "POST",
        "url": "http://h/x",
        "body": {
            "mode": "raw",
            "raw": json.dumps({**fields, "last": "<{{v}}>"}),
            "options": {"raw": {"language": "json"}},
        },
    }
    made = import_scenario(Material("postman", "made", collection(request, variable=variables)))
    scenario = build(load_text(made.text, environ=dict.fromkeys(made.variables, "secret-value")))
    sent = RequestTemplate(scenario.endpoints["r0"], Common()).render({"v": value or "x"})
    assert json.loads(sent.body) == {**fields, "last": f"<{value or 'x'}>"}


@settings(max_examples=40)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.sampled_from(["{{a}}", "{{b}}/x", "http://h/:id", "raw", "basic", "test"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "item",
                        "request",
                        "url",
                        "raw",
                        "auth",
                        "type",
                        "basic",
                        "key",
                        "value",
                        "variable",
                        "header",
                        "body",
                        "mode",
                        "event",
                        "name",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=30,
    )
)
def test_odd_collections_are_imported_or_refused(item):
    """A collection of the wrong shape makes a valid scenario or is refused in words; nothing else."""
    odd = {
        "info": item,
        "item": [item, {"request": item}, {"request": {"url": item, "auth": item, "body": item}}],
    }
    try:
        made = import_scenario(
            Material("postman", "made", json.dumps({**odd, "variable": item, "auth": item}))
        )
    except UsageError:
        return
    assert "stressrunner: 1" in made.text


def test_variables_that_hold_each_other_end():
    """Variables that run in a circle are imported, and what cannot be known is left out of them."""
    variables = [
        {"key": "a", "value": "1{{b}}"},
        {"key": "b", "value": "2{{a}}"},
        {"key": "c", "value": "3{{c}}"},
    ]
    made = import_scenario(
        Material("postman", "made", collection("http://h/{{a}}/{{b}}/{{c}}", variable=variables))
    )
    assert 'c: "3"' in made.text


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "http://h/", "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "s3cr3t-x"}]}},
        {"url": "http://h/", "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{mine}}"}]}},
        {"url": "http://h/", "auth": {"type": "basic", "basic": {"username": "a", "password": "s3cr3t-x"}}},
        {"url": "http://h/", "auth": {"type": "apikey", "apikey": {"key": "k", "value": "s3cr3t-x"}}},
        {
            "url": "http://h/",
            "auth": {"type": "apikey", "apikey": {"key": "k", "value": "s3cr3t-x", "in": "query"}},
        },
        {"url": "http://h/", "header": [{"key": "Authorization", "value": "Custom {{mine}}"}]},
        {"url": "http://h/?token=s3cr3t-x"},
        {"url": "http://h/{{secretPath}}"},
        {"url": "http://ada:s3cr3t-x@h/"},
    ],
)
def test_secrets_stay_behind_wherever_they_are(request_):
    """What lets someone in is asked for, whether it stands in the request or in a variable of any name."""
    variables = [{"key": "mine", "value": "s3cr3t-x"}, {"key": "secretPath", "value": "s3cr3t-x"}]
    made = import_scenario(
        Material("postman", "made", collection({"method": "GET", **request_}, variable=variables))
    )
    assert "s3cr3t" not in made.text
    assert len(made.variables) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"info": {}}', '{"item": []}'])
def test_what_is_no_collection_is_refused(text):
    """A text that is no collection is refused in words."""
    with pytest.raises(UsageError, match="this is no"):
        import_scenario(Material("postman", "made", text))


@pytest.mark.parametrize(
    ("script", "captures"),
    [
        ("pm.environment.set('a', pm.response.json().b.c)", [("a", "body.b.c")]),
        ('pm.collectionVariables.set("a", pm.response.json()["b c"][0]?.d);', [("a", "body['b c'][0].d")]),
        ("const j = pm.response.json(); pm.globals.set('a', j.in)", [("a", "body['in']")]),
        ("var j = JSON.parse(responseBody);\npostman.setEnvironmentVariable('a', j.id)", [("a", "body.id")]),
        ("let t = pm.response.json().t\nlet u = t.u\npm.variables.set('a', u.v)", [("a", "body.t.u.v")]),
        ("pm.environment.set('a', pm.response.headers.get('X-Id'))", [("a", "headers['x-id']")]),
        ("pm.environment.set('a', pm.response.json())", []),
        ("pm.environment.set('a', Date.now()); pm.environment.set('b', 'c')", []),
        ("// pm.environment.set('a', pm.response.json().b)", []),
        ("pm.environment.set('a', unknown.b)", []),
    ],
)
def test_what_scripts_set_is_captured(script, captures):
    """A variable that is set from the response is captured, through variables of the script too; nothing else is."""
    assert list(captures_of(script)) == captures


def in_order(*requests, **parts):
    """Return the document of a collection with these requests and test scripts, and what it wants to know."""
    items = [
        {"name": f"r{i}", "request": request, "event": [{"listen": "test", "script": {"exec": [script]}}]}
        for i, (request, script) in enumerate(requests)
    ]
    made = import_scenario(Material("postman", "made", json.dumps({"info": {}, "item": items, **parts})))
    document = load_text(made.text, environ=dict.fromkeys(made.variables, "value-of-it"))
    return document.value["endpoints"], made.variables


SET = "pm.environment.set('token', pm.response.json().token)"
BEARER = {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]}


def test_captures_are_used_behind_the_request_that_captures():
    """Before it the variable is asked for, in what is sent; a request that would have no token yet says nothing."""
    use = {"method": "GET", "url": "http://h/{{token}}"}
    endpoints, variables = in_order((use, ""), ({"url": "http://h/login"}, SET), (use, ""), auth=BEARER)
    assert endpoints["r0"] == {"get": "/value-of-it"}
    assert endpoints["r1"] == {"get": "/login", "capture": {"token": "body.token"}}
    assert endpoints["r2"] == {"get": "/{{ token }}", "auth": {"bearer": "{{ token }}"}}
    assert variables == ("TOKEN",)


def test_captures_of_requests_that_are_left_out_are_asked_for():
    """What only a request to another host would capture is a variable of the environment."""
    use = {"method": "GET", "url": "http://h/", "auth": BEARER}
    endpoints, variables = in_order((use, ""), ({"url": "http://other/login"}, SET), (use, ""), (use, ""))
    assert variables == ("TOKEN",)
    assert endpoints["r2"]["auth"] == endpoints["r3"]["auth"] == {"bearer": "value-of-it"}


@pytest.mark.parametrize(
    ("settings", "auth"),
    [
        (
            {
                "grant_type": "client_credentials",
                "accessTokenUrl": "http://h/t",
                "clientId": "me",
                "clientSecret": "s3cr3t-x",
            },
            {"oauth2": {"token_url": "/t", "client_id": "me", "client_secret": "value-of-it"}},
        ),
        (
            {"grant_type": "client_credentials", "accessTokenUrl": "{{tokenUrl}}", "clientId": "{{me}}"},
            {"bearer": "value-of-it"},
        ),
        ({"grant_type": "authorization_code", "accessToken": "s3cr3t-x"}, {"bearer": "value-of-it"}),
        ({}, {"bearer": "value-of-it"}),
    ],
)
def test_oauth2_is_taken_over(settings, auth):
    """Client credentials are the language's own; a token that somebody gets in a browser is asked for."""
    request = {"url": "http://h/x", "auth": {"type": "oauth2", "oauth2": settings}}
    if "{{" in str(settings):
        request["auth"]["oauth2"] = {**settings, "grant_type": "implicit"}
    endpoints, _ = in_order((request, ""), ({"url": "http://h/y"}, ""))
    assert endpoints["r0"]["auth"] == auth
