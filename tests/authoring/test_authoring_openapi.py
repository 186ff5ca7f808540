"""Descriptions of an API: values that their schemas allow, and mistakes that are told."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from stressrunner.authoring.importing import Material, import_scenario
from stressrunner.errors import UsageError
from stressrunner.expressions.functions import FUNCTIONS, Draws
from stressrunner.plan.requests import Common, RequestTemplate
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_text

DRAWS = Draws(1, 0, "test")
NAMES = {name: DRAWS.function(name) for name in FUNCTIONS}


def document(schema, **parts):
    """Return a description whose only operation takes a body of this schema."""
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}, "responses": {}}
    return json.dumps({"openapi": "3.1.0", "info": {}, "paths": {"/x": {"post": operation}}, **parts})


def body_of(text):
    """Return the body that the scenario made of a description sends, decoded."""
    scenario = build(
        load_text(import_scenario(Material("openapi", "made", text)).text, environ={"BASE_URL": "http://h"})
    )
    (endpoint,) = scenario.endpoints.values()
    body = RequestTemplate(endpoint, Common(headers=scenario.target.headers)).render(NAMES).body
    return json.loads(body) if body else None


limits = st.integers(-1000, 1000)
names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=8)
leaves = st.one_of(
    st.tuples(st.sampled_from(["integer", "number"]), limits, st.integers(1, 500)).map(
        lambda t: {"type": t[0], "minimum": t[1], "maximum": t[1] + t[2]}
    ),
    limits.map(lambda low: {"type": "integer", "exclusiveMinimum": low}),
    limits.map(lambda high: {"type": "integer", "maximum": high}),
    st.integers(1, 20).map(lambda step: {"type": "integer", "multipleOf": step}),
    st.tuples(st.integers(0, 20), st.integers(0, 20)).map(
        lambda t: {"type": "string", "minLength": t[0], "maxLength": sum(t)}
    ),
    st.sampled_from(["uuid", "email", "date-time", "date"]).map(
        lambda form: {"type": "string", "format": form}
    ),
    st.text(max_size=10).map(lambda text: {"type": "string", "default": text}),
    st.lists(names, min_size=1, max_size=3).map(lambda values: {"enum": values}),
    st.just({"type": ["null", "boolean"]}),
    names.map(lambda text: {"const": text}),
)
schemas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.dictionaries(names, inner, min_size=1, max_size=4).map(
            lambda fields: {"type": "object", "properties": fields, "required": list(fields)}
        ),
        inner.map(lambda item: {"type": "array", "items": item, "minItems": 2}),
        st.lists(inner, min_size=1, max_size=3).map(lambda choices: {"oneOf": choices[:1]}),
    ),
    max_leaves=8,
)


@settings(max_examples=40)
@given(schemas)
def test_bodies_are_what_the_schema_allows(schema):
    """A body made for a schema is valid under it, whatever is nested in it."""
    Draft202012Validator(schema).validate(body_of(document(schema)))


@settings(max_examples=30)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=8)
        | st.sampled_from(["#/paths", "3.0.0", "get"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["paths", "/a/{b}", "get", "post", "parameters", "name", "in", "schema", "$ref", "type"]
                )
                | st.text(max_size=5),
                inner,
                max_size=5,
            )
        ),
        max_leaves=30,
    )
)
def test_odd_documents_are_imported_or_refused(paths):
    """A document of the wrong shape makes a valid scenario or is refused in words; nothing else."""
    text = json.dumps(
        {"openapi": "3.0.0", "info": paths, "paths": paths, "servers": paths, "security": paths}
    )
    try:
        made = import_scenario(Material("openapi", "made", text))
    except UsageError:
        return
    assert "stressrunner: 1" in made.text


def test_schemas_that_hold_themselves_end():
    """A schema that holds itself is filled in once, in properties, in lists and in allOf."""
    node = {
        "allOf": [{"$ref": "#/components/schemas/Base"}],
        "type": "object",
        "properties": {
            "name": {"const": "n"},
            "parent": {"$ref": "#/components/schemas/Node"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
        },
    }
    base = {"allOf": [{"$ref": "#/components/schemas/Base"}], "properties": {"id": {"const": 1}}}
    text = document(
        {"$ref": "#/components/schemas/Node"}, components={"schemas": {"Node": node, "Base": base}}
    )
    assert body_of(text) == {"id": 1, "name": "n", "children": []}


@pytest.mark.parametrize(
    "schema", [{"$ref": "#/nowhere"}, {"$ref": "other.yaml#/X"}, {"$ref": "#/components/circle"}]
)
def test_references_that_lead_nowhere_are_any_text(schema):
    """A reference that cannot be followed, or runs in a circle, does not stop the import."""
    text = document(schema, components={"circle": {"$ref": "#/components/circle"}})
    assert isinstance(body_of(text), str)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is nothing in it"),
        ("{", "this is no JSON"),
        ("[" * 200, "nested more than 100 levels"),
        ("a: b: c", "a second ': ' in one value"),
        ("openapi: 2.0.0", "neither 'openapi: 3.x'"),
        ("- openapi", "neither 'openapi: 3.x'"),
        ('{"openapi": "3.0.0"}', "no request in it"),
        ('{"openapi": "3.0.0", "paths": {"/a": {"trace": {}}}}', "TRACE /a: the method cannot be sent"),
    ],
)
def test_what_is_no_description_is_refused(text, reason):
    """A text that describes no API is refused with the reason."""
    with pytest.raises(UsageError) as caught:
        import_scenario(Material("openapi", "made", text))
    assert reason in str(caught.value)


def test_writes_are_sent_when_there_is_nothing_else():
    """A description of writes alone is sent whole, and that is said."""
    text = json.dumps({"openapi": "3.0.0", "paths": {"/a": {"post": {}, "put": {}}}})
    made = import_scenario(Material("openapi", "made", text))
    assert "post_a: 1" in made.text
    assert any("all requests are writes" in note for note in made.notes)


def test_other_files_are_noted():
    """References to other files are not followed, which is said once with their names."""
    schema = {"properties": {"a": {"$ref": "b.yaml#/x"}, "c": {"$ref": "a.yaml"}, "d": {"$ref": "b.yaml"}}}
    notes = import_scenario(Material("openapi", "made", document(schema))).notes
    assert "references to other files are not followed, bundle them into one: a.yaml, b.yaml" in notes


@pytest.mark.parametrize(
    ("scheme", "sent"),
    [
        ({"type": "http", "scheme": "Bearer"}, {"auth": {"bearer": "value-of-it"}}),
        ({"type": "openIdConnect"}, {"auth": {"bearer": "value-of-it"}}),
        ({"type": "oauth2", "flows": {"implicit": {}}}, {"auth": {"bearer": "value-of-it"}}),
        (
            {"type": "apiKey", "in": "header", "name": "X-K"},
            {"auth": {"api_key": {"header": "X-K", "value": "value-of-it"}}},
        ),
        (
            {"type": "apiKey", "in": "query", "name": "k"},
            {"auth": {"api_key": {"query": "k", "value": "value-of-it"}}},
        ),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, {"cookies": {"sid": "value-of-it"}}),
        ({"type": "mutualTLS"}, {}),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/t"}}},
            {
                "auth": {
                    "oauth2": {
                        "token_url": "/t",
                        "client_id": "value-of-it",
                        "client_secret": "value-of-it",
                        "scope": "a b",
                    }
                }
            },
        ),
    ],
)
def test_security_schemes(scheme, sent):
    """Each scheme is what the language has for it; what it has nothing for is noted."""
    text = document({}, security=[{"s": ["a", "b"]}], components={"securitySchemes": {"s": scheme}})
    made = import_scenario(Material("openapi", "made", text))
    environ = dict.fromkeys(made.variables, "value-of-it") | {"BASE_URL": "http://h"}
    (endpoint,) = load_text(made.text, environ=environ).value["endpoints"].values()
    assert {key: endpoint[key] for key in ("auth", "cookies", "headers") if key in endpoint} == sent
    assert (made.notes[:1] == ("POST /x: the security scheme s is not taken over",)) == (not sent)
