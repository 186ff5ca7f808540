"""The reference of the language is complete, and as fresh as the schema that it is written from."""

import os

import pytest
from documents import ROOT, read

from stressrunner.authoring.reference import language_reference
from stressrunner.scenario.names import RESERVED
from stressrunner.scenario.schema import scenario_schema

PAGE = "docs/language.md"


def keys(schema):
    """Yield every key that a schema names, however deep."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for inner in schema.values():
            yield from keys(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from keys(inner)


def test_the_page_is_fresh():
    """The page is what `stressrunner schema --markdown` writes; STRESSRUNNER_UPDATE_GOLDEN=1 writes it anew."""
    if os.environ.get("STRESSRUNNER_UPDATE_GOLDEN"):
        (ROOT / PAGE).write_text(language_reference(), "utf-8")
    assert language_reference() == read(PAGE)


@pytest.mark.parametrize("key", sorted(set(keys(scenario_schema()))))
def test_every_key_is_on_the_page(key):
    """Each key of the schema is in a table of the page, or heads a section of it."""
    page = read(PAGE)
    assert f"`{key}`" in page or f".{key}`" in page


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_every_name_of_templates_is_on_the_page(name):
    """Each name that templates know, functions included, is explained."""
    page = read(PAGE)
    assert any(f"`{name}{end}" in page for end in ("`", ".", "("))
