"""Bytes on the wire: what a scenario sends at a seed is the same to the byte."""

import pytest

from .observed import HERE, Recorder, command, is_as_kept

SCENARIOS = sorted(path.stem for path in (HERE / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_bytes_are_the_same(name):
    """All requests of a run, in order, on the connections that they came over."""
    with Recorder().serving() as recorder:
        scenario = HERE / "scenarios" / f"{name}.yaml"
        ended = command(
            scenario, "--seed", "7", "--quiet", "--workers", "0", BASE_URL=f"http://{recorder.address}"
        )
        assert ended.code in (0, 4), ended.err  # a busy machine may make the generator late
        is_as_kept(f"{name}.wire", recorder.text())
