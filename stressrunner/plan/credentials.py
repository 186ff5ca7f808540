"""Which captures are credentials: those that a scenario says who it is with."""

from stressrunner.masking import is_sensitive
from stressrunner.scenario.model import Scenario
from stressrunner.scenario.token_use import names_in

__all__ = ["credential_names"]


def credential_names(scenario: Scenario) -> frozenset[str]:
    """Return the names in everything that authorizes requests: `auth`, and headers, cookies and queries of telling names."""
    endpoints = scenario.endpoints.values()
    sent = [scenario.target.headers, *(part for e in endpoints for part in (e.headers, e.cookies, e.query))]
    telling = [value for fields in sent for name, value in fields.items() if is_sensitive(name)]
    return frozenset(path[0] for path in names_in([*telling, *(endpoint.auth for endpoint in endpoints)]))
