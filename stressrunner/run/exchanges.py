"""Exchanges and checks for the result: names in place of numbers, secrets masked, and a command that sends again."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from stressrunner.http.exchange import FailureKind, Headers
from stressrunner.http.origin import Origin, locate, origin_of
from stressrunner.masking import Masker, authorizing, masked_header, masked_query
from stressrunner.metrics.exemplars import Exemplar
from stressrunner.metrics.summary import Stats
from stressrunner.plan.plan import Plan
from stressrunner.result.exchanges import (
    CheckRecord,
    ExchangeRecord,
    HeaderRecord,
    RequestRecord,
    ResponseRecord,
)
from stressrunner.run.curl_line import curl_line
from stressrunner.run.target import is_embedded
from stressrunner.scenario.model import Scenario

__all__ = ["check_records", "exchange_records"]

#: Where `stressrunner demo` serves, as an embedded target is gone when its requests are looked at.
_DEMO = "http://127.0.0.1:8000"


def exchange_records(
    exemplars: Iterable[Exemplar], plan: Plan, variables: Mapping[str, str], mask: Masker
) -> tuple[ExchangeRecord, ...]:
    """Return what was kept of a load.

    Args:
        exemplars: timed from the beginning of the load.
        plan: what was sent.
        variables: names of environment variables by the secret values that they hold.
        mask: hides those values, and the secrets that have no name. What authorizes a request is hidden in all of its
            exchange too.
    """
    origin = origin_of(_DEMO if is_embedded(plan.base_url) else plan.base_url)
    return tuple(_record(one, plan, origin, variables, mask) for one in exemplars)


def _record(
    exemplar: Exemplar, plan: Plan, origin: Origin, variables: Mapping[str, str], mask: Masker
) -> ExchangeRecord:
    sent, came = exemplar.request, exemplar.response
    rule = mask.text(exemplar.rule)  # as in its group, so that the two are found together
    mask = mask.plus(authorizing(sent.headers))
    # It would have taken its credentials to a host that is not allowed; a command must not do so either.
    was_withheld = exemplar.kind == FailureKind.NOT_ALLOWED and not exemplar.status
    response = None
    if exemplar.status:
        headers = _headers(came.headers, mask)
        response = ResponseRecord(exemplar.status, headers, mask.text(came.body), came.body_bytes, came.kept)
    return ExchangeRecord(
        kind=exemplar.kind,
        message=mask.text(exemplar.message),
        endpoint=plan.endpoint_names[exemplar.endpoint],
        at_s=exemplar.at_ns / 1e9,
        response_time_s=exemplar.response_time_ns / 1e9,
        service_time_s=None if exemplar.service_time_ns is None else exemplar.service_time_ns / 1e9,
        request=RequestRecord(
            exemplar.method,
            mask.text(masked_query(_url(exemplar.target, origin))),
            _headers(sent.headers, mask),
            mask.text(sent.body),
            sent.body_bytes,
            sent.kept,
        ),
        response=response,
        curl="" if was_withheld else curl_line(exemplar, origin, plan.target, variables, mask),
        rule=rule,
    )


def _url(target: str, origin: Origin) -> str:
    found, path = locate(target, origin)
    return found.url + path


def _headers(headers: Headers, mask: Masker) -> tuple[HeaderRecord, ...]:
    return tuple(
        HeaderRecord(mask.text(name), mask.text(masked_header(name, value))) for name, value in headers
    )


def check_records(
    scenario: Scenario, endpoints: Mapping[str, Stats], failed: Mapping[tuple[str, str], int], mask: Masker
) -> tuple[CheckRecord, ...]:
    """Return the checks of the endpoints that are used, in the order of the scenario, and others that failed."""
    records: list[CheckRecord] = []
    for name, stats in endpoints.items():
        records += _of_endpoint(name, _texts(name, scenario, failed), stats, failed)
    return tuple(CheckRecord(one.endpoint, mask.text(one.text), one.state, one.failed) for one in records)


def _texts(name: str, scenario: Scenario, failed: Mapping[tuple[str, str], int]) -> list[str]:
    stated = scenario.endpoints[name].checks if name in scenario.endpoints else ()
    return list(dict.fromkeys([*stated, *(text for endpoint, text in failed if endpoint == name)]))


def _of_endpoint(
    name: str, texts: Sequence[str], stats: Stats, failed: Mapping[tuple[str, str], int]
) -> Iterator[CheckRecord]:
    """Yield an endpoint's checks; they are held against a response in order, until the first that it fails."""
    reached = [
        stats.ok > 0 or any(failed.get((name, later)) for later in texts[i:]) for i in range(len(texts))
    ]
    for text, was_reached in zip(texts, reached, strict=True):
        count = failed.get((name, text), 0)
        if count:
            yield CheckRecord(name, text, "failed", count)
        else:
            yield CheckRecord(name, text, "passed" if was_reached else "skipped", 0)
