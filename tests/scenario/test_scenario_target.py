"""The target's keys: what they become, and which transports can be had."""

import ssl
import subprocess
from pathlib import Path

import pytest

from stressrunner.errors import InvalidScenario
from stressrunner.scenario.build import build
from stressrunner.scenario.document import load_document, load_text
from stressrunner.scenario.model import Tls
from stressrunner.scenario.target import problem_of_http

REST = "endpoints: {home: {get: /}}\nload: {concurrency: 1, duration: 1s}\n"


def text(target):
    """Return a scenario with this target."""
    return f"stressrunner: 1\nname: shop\ntarget: {target}\n{REST}"


@pytest.mark.parametrize(("spelled", "version"), [("1.1", "1.1"), ("2", "2"), ("${V:-2}", "2")])
def test_version_of_http(spelled, version):
    """The version is the number that is written, and 1.1 where there is none."""
    target = (
        f'{{base_url: "http://127.0.0.1:8080", http: "{spelled}"}}'
        if "$" in spelled
        else (f'{{base_url: "http://127.0.0.1:8080", http: {spelled}}}')
    )
    assert build(load_text(text(target), environ={})).target.http == version
    assert build(load_text(text('{base_url: "http://127.0.0.1"}'), environ={})).target.http == "1.1"


def test_http_2_wants_its_package():
    """Without the package that speaks HTTP/2, the scenario says how to get it."""
    message, hint = problem_of_http("http://127.0.0.1", is_proxied=False, has_package=False)
    assert message == "HTTP/2 needs the package hpack"
    assert "stressrunner[http2]" in hint
    assert problem_of_http("https://127.0.0.1", is_proxied=True, has_package=True) is None


def test_tls_files_lie_beside_the_scenario(tmp_path):
    """Paths are relative to the scenario and absolute in what is built from it."""
    folder = tmp_path / "scenarios"
    (folder / "tls").mkdir(parents=True)
    ca = Path(ssl.get_default_verify_paths().cafile or "")
    pem = ca.read_bytes() if ca.is_file() else _certificate(tmp_path)
    (folder / "tls" / "ca.pem").write_bytes(pem)
    scenario = folder / "a.yaml"
    scenario.write_text(text('{base_url: "https://127.0.0.1", tls: {ca: tls/ca.pem}}'), "utf-8")
    document = load_document(scenario, environ={})
    assert build(document).target.tls == Tls(verify=True, ca=(folder / "tls" / "ca.pem").resolve())
    assert "ca: tls/ca.pem" in document.composed


def _certificate(folder):
    command = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=a", "-newkey", "ec"]
    command += [
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-keyout",
        folder / "k.pem",
        "-out",
        folder / "c.pem",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "c.pem").read_bytes()


def test_encrypted_key_is_told_instead_of_asked_for(tmp_path):
    """A key with a password stops the file, not the terminal."""
    _certificate(tmp_path)
    command = ["openssl", "ec", "-aes256", "-passout", "pass:secret", "-in", tmp_path / "k.pem"]
    subprocess.run([*command, "-out", tmp_path / "locked.pem"], check=True, capture_output=True)
    scenario = tmp_path / "a.yaml"
    target = '{base_url: "https://127.0.0.1", tls: {certificate: c.pem, key: locked.pem}}'
    scenario.write_text(text(target), "utf-8")
    with pytest.raises(InvalidScenario) as caught:
        load_document(scenario, environ={})
    assert "'c.pem' has no certificate with its key in PEM" in caught.value.diagnostics[0].message
    scenario.write_text(text(target.replace("locked", "k")), "utf-8")
    assert build(load_document(scenario, environ={})).target.tls.key == (tmp_path / "k.pem").resolve()


def test_cookies_and_redirects():
    """Cookies are kept and redirects not followed unless the file says otherwise."""
    plain = build(load_text(text('{base_url: "http://127.0.0.1"}'), environ={}))
    assert plain.target.cookies
    assert (plain.endpoints["home"].cookies, plain.endpoints["home"].follow_redirects) == ({}, False)
    said = text('{base_url: "http://127.0.0.1", cookies: false}').replace(
        "get: /", "get: /, cookies: {a: 1, b: null}, follow_redirects: true"
    )
    changed = build(load_text(said, environ={}))
    assert not changed.target.cookies
    home = changed.endpoints["home"]
    assert (home.cookies, home.follow_redirects) == ({"a": "1", "b": None}, True)
