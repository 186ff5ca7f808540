"""From a description or a recording of an API to a scenario that is valid and can be run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from stressrunner.authoring.composing import Composer
from stressrunner.authoring.curl import read_curl
from stressrunner.authoring.draft import Draft, Notes
from stressrunner.authoring.har import read_har
from stressrunner.authoring.openapi import read_openapi
from stressrunner.authoring.postman import read_postman
from stressrunner.authoring.scenario_text import scenario_text, variables_of
from stressrunner.authoring.sensitive import Secrets
from stressrunner.authoring.template_text import unmarked
from stressrunner.errors import UsageError

__all__ = ["KINDS", "Imported", "Material", "import_scenario"]


@dataclass(frozen=True, slots=True)
class Material:
    """What is imported."""

    kind: str  #: one of KINDS
    name: str  #: what the scenario is called; of a file its name without the ending
    text: str
    base_url: str = ""  #: instead of the one in the text
    traffic: str = (
        ""  #: `flow` for the order of the source, `mix` for each request by itself; empty for what fits
    )
    with_assets: bool = False  #: take over what pages load besides data, from recordings of browsers


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario, and what its user needs to know."""

    text: str
    notes: tuple[str, ...]  #: what could not be taken over, each with its place
    variables: tuple[str, ...]  #: environment variables that a run needs


def _curl(material: Material, composer: Composer) -> Draft:
    return read_curl(material.text, material.name, composer)


def _openapi(material: Material, composer: Composer) -> Draft:
    return read_openapi(material.text, material.name, composer)


def _har(material: Material, composer: Composer) -> Draft:
    in_order = material.traffic != "mix"
    return read_har(
        material.text, material.name, composer, with_assets=material.with_assets, in_order=in_order
    )


def _postman(material: Material, composer: Composer) -> Draft:
    return read_postman(material.text, material.name, composer, in_order=material.traffic != "mix")


_READERS: Mapping[str, Callable[[Material, Composer], Draft]] = MappingProxyType(
    {"curl": _curl, "openapi": _openapi, "har": _har, "postman": _postman}
)
#: What can be imported.
KINDS = tuple(_READERS)


def import_scenario(material: Material) -> Imported:
    """Return the scenario that a text of one of the KINDS stands for.

    Raises:
        UsageError: the text is not of its kind, or nothing in it can be sent; the notes say why.
        InvalidScenario: the wished base URL makes no sense.
    """
    material = replace(material, text=unmarked(material.text.removeprefix("\ufeff")))
    composer = Composer(Notes(), Secrets(), material.base_url)
    draft = _READERS[material.kind](material, composer)
    if not draft.requests:
        reasons = "".join(f"\n  {line}" for line in composer.notes.lines)
        raise UsageError(f"{material.name}: there is no request in it that can be taken over{reasons}")
    if material.traffic == "flow" and not draft.flow:
        draft = replace(draft, flow=tuple(request.name for request in draft.requests))
    if not draft.flow and not any(request.weight for request in draft.requests):
        requests = tuple(replace(request, weight=1) for request in draft.requests)
        composer.notes.add("", "all requests are writes, so all of them are sent; look at `mix` before a run")
        draft = replace(draft, requests=requests)
    text = scenario_text(
        draft, f"{material.name} by `stressrunner import {material.kind}`", composer.secrets.uses
    )
    return Imported(text, tuple(composer.notes.lines), tuple(variables_of(text)))
