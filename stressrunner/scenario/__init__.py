"""The scenario language: from a YAML file to a Document without mistakes, and from that to a Scenario."""

from stressrunner.scenario.build import build
from stressrunner.scenario.document import Document, load_document, load_text
from stressrunner.scenario.model import Scenario
from stressrunner.scenario.schema import scenario_schema
from stressrunner.scenario.threshold import Threshold
from stressrunner.scenario.threshold_grammar import ThresholdError, parse_threshold

__all__ = [
    "Document",
    "Scenario",
    "Threshold",
    "ThresholdError",
    "build",
    "load_document",
    "load_text",
    "parse_threshold",
    "scenario_schema",
]
