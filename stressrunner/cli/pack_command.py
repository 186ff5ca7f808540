"""`stressrunner pack`: scenarios with all that belongs to them in one file."""

from pathlib import Path

import click

from stressrunner.authoring.packing import check_scenarios, draft_of, write_pack
from stressrunner.scenario.archive import Contents, unpacked, verified
from stressrunner.scenario.manifest import Manifest
from stressrunner.units import counted, format_bytes

__all__ = ["build_pack", "list_pack", "verify_pack"]


def build_pack(folder: Path, output: Path | None) -> None:
    """Make a zip file of a folder with a `pack.yaml`, and say what comes next.

    Raises:
        StressrunnerError: the folder makes no pack, or the file cannot be written.
    """
    draft = draft_of(folder)
    check_scenarios(folder, draft.manifest)
    path = output or Path(f"{draft.manifest.title}.zip")
    digest = write_pack(draft, path)
    contents = verified(path)
    click.echo(f"wrote {path}: {_summary(contents)}, sha256 {digest}")
    click.echo(f"next: stressrunner {path}//{draft.manifest.scenarios[0]}", err=True)


def verify_pack(path: Path) -> None:
    """Say that all files of a pack are as they were packed, once its scenarios are known to be valid.

    Raises:
        StressrunnerError: they are not, or this is no pack.
    """
    contents = verified(path)
    with unpacked(path) as (_, inside):
        check_scenarios(inside.folder, contents.manifest, inside)
    click.echo(f"{path}: {contents.manifest.title}, {_summary(contents)}, all as they were packed")


def list_pack(path: Path) -> None:
    """Show what a pack is, needs and has in it.

    Raises:
        StressrunnerError: it is no pack, or not as it was packed.
    """
    contents = verified(path)
    manifest = contents.manifest
    click.echo(f"{manifest.value['name']} {manifest.value['version']}")
    if description := manifest.value.get("description"):
        click.echo(description)
    for title, lines in (
        ("Scenarios", [f"{path}//{name}" for name in manifest.scenarios]),
        ("Environments", [_environment(manifest, name) for name in manifest.environments]),
        ("Needs", [str(need) for need in manifest.needs(None)]),
        (
            "Files",
            [f"{file.sha256[:12]}  {format_bytes(file.size):>8}  {file.name}" for file in contents.files],
        ),
    ):
        if lines:
            click.echo("\n".join(["", title, *(f"  {line}" for line in lines)]))


def _environment(manifest: Manifest, name: str) -> str:
    everywhere = {need.path for need in manifest.needs(None)}
    needs = [str(need) for need in manifest.needs(name) if need.path not in everywhere]
    about = manifest.environments[name].get("description", "")
    wants = f"needs {', '.join(needs)}" if needs else ""
    return "  ".join(part for part in (name, about, wants) if part)


def _summary(contents: Contents) -> str:
    size = sum(file.size for file in contents.files)
    return f"{counted(len(contents.files), 'file')} of {format_bytes(size)}"
