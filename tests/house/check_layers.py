"""Checks which rooms include which, by docs/development/architecture.md, and that every source is built.

Usage: check_layers.py SOURCE_ROOT. Prints every include and file that breaks a rule; exits 1 if there is one.
"""
import pathlib
import re
import sys

MODEL = {"base", "geometry", "patient", "machine", "plan"}
STAGES = {"fluence", "raytrace", "terma", "collapsed_cone", "pencil_beam", "electrons"}
PIPELINE = MODEL | STAGES | {"backend"}

# Beside itself and the public headers (libdose/*.h), which every room may include.
ALLOWED = {
    "include": set(),
    "base": set(),
    "geometry": {"base"},
    "machine": {"base"},
    "patient": {"base", "geometry"},
    "plan": {"base", "geometry", "machine"},
    "raytrace": {"base", "geometry"},
    "terma": {"base", "geometry", "raytrace"},
    "fluence": {"base", "geometry", "machine", "plan", "raytrace", "terma"},
    "electrons": {"base", "geometry", "fluence"},
    "collapsed_cone": {"base", "geometry", "terma"},
    "pencil_beam": {"base", "geometry", "fluence", "raytrace", "terma"},
    "backend": {"base", "geometry"} | STAGES,
    "cpu": PIPELINE,
    "cuda": PIPELINE,
    "engine": PIPELINE,
    "analysis": {"base", "geometry", "patient"},
    "validation": PIPELINE | {"engine", "analysis"},
    "commissioning": PIPELINE | {"engine", "validation"},
    "io": {"base", "patient", "plan"},
    "check": {"base"},
    "cli": {"base"},
    "capi": {"base"},
    "python": {"base"},
}
# The one file that knows every backend.
CHOOSES = {"libdose/engine/backend_choice.cpp": {"cuda"}}


def room_of(path: str) -> str:
    parts = path.split("/")
    return parts[1] if parts[0] == "libdose" else parts[0]


def broken_includes(root: pathlib.Path) -> list[str]:
    broken = []
    for folder in ("libdose", "cuda", "python/src"):
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp", ".cu"):
                continue
            path = file.relative_to(root).as_posix()
            room = room_of(path)
            allowed = ALLOWED.get(room, set()) | CHOOSES.get(path, set())
            for included in re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read_text(), re.M):
                other = included.split("/")[0]
                if "/" not in included or other in ("libdose", room) or other in allowed:
                    continue
                broken.append(f"{path}: {room} may not include {included}")
    return broken


def unlisted_sources(root: pathlib.Path) -> list[str]:
    """Sources that no list of CMake has."""
    listed = set(re.findall(r"[\w./]+\.cpp", (root / "libdose/cmake/sources.cmake").read_text()))
    sources = [f.relative_to(root / "libdose").as_posix() for f in (root / "libdose").rglob("*.cpp")]
    sources += ["../" + f.relative_to(root).as_posix() for f in (root / "cuda").rglob("*.cpp")]
    return [f"libdose/{f}: not in libdose/cmake/sources.cmake" for f in sorted(set(sources) - listed)]


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    broken = broken_includes(root) + unlisted_sources(root)
    print("\n".join(broken) or "every include and every source is in order")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
