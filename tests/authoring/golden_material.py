"""The material that importers are tested with, and where the scenarios made of it are kept."""

from pathlib import Path

from stressrunner.authoring.importing import Imported, Material, import_scenario

GOLDEN = Path(__file__).parents[1] / "golden" / "authoring"
#: Of each kind: shops, pet shops and the like, and `agents`, which describes the embedded target.
MATERIAL = sorted(
    path for path in GOLDEN.glob("*/*") if path.suffix not in {".scenario", ".notes"} and path.is_file()
)


def imported(path: Path, **options) -> Imported:
    """Import a file of the material."""
    return import_scenario(Material(path.parent.name, path.stem, path.read_text("utf-8"), **options))
