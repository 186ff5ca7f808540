"""The JSON Schema is the reference of the language: complete, in step with the reader, and usable by editors."""

import pytest
from jsonschema import Draft202012Validator

from stressrunner.scenario.schema import pack_schema, root_place, scenario_schema
from stressrunner.scenario.validate import _validator

SCHEMA = scenario_schema()


def keys(schema, path=""):
    """Yield every key that the schema documents, with the schema of its value."""
    for name, inner in schema.get("properties", {}).items():
        yield f"{path}/{name}", inner
        yield from keys(inner, f"{path}/{name}")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict) and "$ref" not in schema[part]:
            yield f"{path}/{part}", schema[part]
            yield from keys(schema[part], f"{path}/{part}")


KEYS = [*keys(SCHEMA, ""), *keys(pack_schema(), "pack:")] + [
    pair for name, part in SCHEMA["$defs"].items() for pair in keys(part, f"$defs/{name}")
]


def own(schema, keyword):
    """Return a keyword of a schema or of the definition that it refers to."""
    if keyword in schema or "$ref" not in schema:
        return schema.get(keyword)
    return own(referred(schema["$ref"]), keyword)


def referred(reference):
    """Return the part of the schema that a reference points to."""
    part = SCHEMA
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def test_the_schema_is_one():
    """The schema itself is valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator.check_schema(pack_schema())


@pytest.mark.parametrize(("path", "schema"), KEYS, ids=[path for path, _ in KEYS])
def test_every_key_is_described(path, schema):
    """Every key has a description, for editors and the reference, and examples that are valid."""
    if path.endswith("field_values/additionalProperties/items"):
        return  # described by the field that it repeats
    assert own(schema, "description")
    examples = own(schema, "examples")
    assert examples
    validator = Draft202012Validator({**schema, "$defs": SCHEMA["$defs"]})
    for example in examples:
        validator.validate(example)


def test_keys_of_a_place():
    """A walk beside the tree knows the keys, types and choices of every place."""
    root = root_place()
    assert {"mix", "session", "load"} <= set(root.keys)
    load = root.key("load")
    assert load.types == {"object", "array"}
    assert [choice.keys for choice in load.choices] == [
        ("concurrency", "rate"),
        ("requests", "iterations", "sessions", "duration"),
    ]
    assert load.item.key("rate").wants_text
    assert root.key("treshold") is None
    assert root.key("variables").key("anything").is_free


def test_a_request_in_place_has_the_keys_of_an_endpoint():
    """A step takes what an endpoint takes, and means the same by it."""
    step = SCHEMA["$defs"]["step"]["properties"]
    for name in SCHEMA["$defs"]["endpoint"]["properties"]:
        assert step[name] == {"$ref": f"#/$defs/endpoint/properties/{name}"}


def test_every_format_is_checked():
    """No format of the schema is one that nothing looks at: an unknown format would accept everything."""
    checked = set(_validator("scenario").format_checker.checkers) | {
        "template",
        "body_template",
        "expression",
        "condition",
        "check",
        "threshold",
        "pack_file",
        "body_file",
        "part_file",
        "query_file",
        "jsonpath",
        "order",
        "pattern",
    }
    used = set()

    def walk(schema):
        if isinstance(schema, dict):
            if isinstance(schema.get("format"), str):
                used.add(schema["format"])
            for value in schema.values():
                walk(value)
        elif isinstance(schema, list):
            for value in schema:
                walk(value)

    walk(scenario_schema())
    walk(pack_schema())
    assert used == checked
