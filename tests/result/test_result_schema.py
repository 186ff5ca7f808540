"""The JSON Schema of the result file says the same as the classes and the examples."""

import json
from importlib import resources
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from reports.example_results import EXAMPLES
from result.result_strategies import WHOLE_RESULTS, results

from stressrunner.metrics.summary import (
    ErrorGroup,
    ErrorSampleRecord,
    IterationStats,
    Latency,
    PhaseStats,
    SetupFailure,
    SetupStats,
    Stats,
)
from stressrunner.metrics.timeline import TimelinePoint
from stressrunner.monitor.figures import MonitorPoint, ProcessFigures
from stressrunner.result.codec import to_json
from stressrunner.result.exchanges import (
    CheckRecord,
    ExchangeRecord,
    HeaderRecord,
    RequestRecord,
    ResponseRecord,
)
from stressrunner.result.model import GeneratorFigures, Result, RunRecord, ScenarioRecord
from stressrunner.verdict.delivery.outcome import (
    DeliveryOutcome,
    Evidence,
    MessageEvidence,
    PhaseDelivery,
    ReadBackFigures,
    Requirement,
    SessionEvidence,
    SinkFigures,
    StoredEvidence,
)
from stressrunner.verdict.outcome import ThresholdOutcome, Validity, Verdict

SCHEMA = json.loads(resources.files("stressrunner.schemas").joinpath("result.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
TOP, DEFS = SCHEMA["properties"], SCHEMA["$defs"]
EXCHANGE = TOP["exchanges"]["items"]

OBJECTS = [
    (RunRecord, TOP["run"]),
    (ScenarioRecord, TOP["run"]["properties"]["scenario"]),
    (Verdict, TOP["verdict"]),
    (Validity, TOP["validity"]),
    (Stats, DEFS["stats"]),
    (Latency, DEFS["latency"]),
    (IterationStats, TOP["iterations"]),
    (SetupStats, TOP["user_setup"]),
    (SetupFailure, TOP["user_setup"]["properties"]["failures"]["items"]),
    (PhaseStats, TOP["phases"]["items"]),
    (TimelinePoint, DEFS["point"]),
    (ThresholdOutcome, TOP["thresholds"]["items"]),
    (GeneratorFigures, TOP["generator"]),
    (ProcessFigures, DEFS["process"]),
    (MonitorPoint, DEFS["monitor_point"]),
    (ErrorGroup, TOP["errors"]["items"]),
    (DeliveryOutcome, DEFS["delivery"]),
    (Requirement, DEFS["delivery_requirement"]),
    (PhaseDelivery, DEFS["phase_delivery"]),
    (SinkFigures, DEFS["sink"]),
    (ReadBackFigures, DEFS["read_back"]),
    (Evidence, DEFS["delivery_evidence"]),
    (SessionEvidence, DEFS["session_evidence"]),
    (MessageEvidence, DEFS["sent_message"]),
    (StoredEvidence, DEFS["stored_message"]),
    (ErrorSampleRecord, TOP["errors"]["items"]["properties"]["samples"]["items"]),
    (ExchangeRecord, EXCHANGE),
    (RequestRecord, EXCHANGE["properties"]["request"]),
    (ResponseRecord, EXCHANGE["properties"]["response"]),
    (HeaderRecord, DEFS["header"]),
    (CheckRecord, TOP["checks"]["items"]),
]


def test_it_is_a_schema():
    """The file is a JSON Schema of the draft that it names."""
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("outcome", EXAMPLES)
def test_results_fit(outcome):
    """Results of every outcome are valid."""
    errors = [error.message for error in VALIDATOR.iter_errors(json.loads(to_json(EXAMPLES[outcome]())))]
    assert errors == []


@pytest.mark.parametrize(("shape", "described"), OBJECTS, ids=[shape.__name__ for shape, _ in OBJECTS])
def test_every_field_is_described(shape, described):
    """The schema has the fields of the class, in order, requires them all, and lets no other in."""
    hints = get_type_hints(shape)
    assert list(described["properties"]) == list(hints)
    assert described["required"] == list(hints)
    assert described["additionalProperties"] is False
    nullable = [name for name, of in described["properties"].items() if "null" in of.get("type", ())]
    assert nullable == [name for name, hint in hints.items() if _may_be_none(hint)]


def _may_be_none(hint):
    return get_origin(hint) is UnionType and type(None) in get_args(hint)


def test_the_top_has_the_fields_of_a_result():
    """At the top stand the fields of Result."""
    assert set(TOP) == set(get_type_hints(Result))
    assert SCHEMA["required"] == list(TOP)


def test_every_key_has_a_description():
    """Nobody has to guess what a key means or in which unit it is."""
    silent = [
        f"{name}.{key}"
        for name, described in [("the top", SCHEMA), *((shape.__name__, of) for shape, of in OBJECTS)]
        for key, of in described["properties"].items()
        if not of.get("description")
    ]
    assert silent == []


@WHOLE_RESULTS
@given(results(st.sampled_from(["200", "503"])), st.data())
def test_a_file_with_a_key_too_few_does_not_fit(result, data):
    """Every key of every object is required."""
    document = json.loads(to_json(result))
    place = document[data.draw(st.sampled_from(["run", "verdict", "validity", "totals", "generator"]))]
    del place[data.draw(st.sampled_from(sorted(place)))]
    assert not VALIDATOR.is_valid(document)
