"""What the phases of a `load` are called."""

from typing import Any

__all__ = ["phase_names"]


def phase_names(load: Any) -> list[str]:
    """Return what the phases of a `load` are called, named or not: `load`, or `phase_1`, `phase_2` and so on."""
    if isinstance(load, list):
        return [_name_of(phase, f"phase_{number}") for number, phase in enumerate(load, start=1)]
    return [_name_of(load, "load")]


def _name_of(phase: Any, otherwise: str) -> str:
    name = phase.get("name") if isinstance(phase, dict) else None
    return name if isinstance(name, str) else otherwise
