"""Takes a project from django-waffle to this package: its imports, INSTALLED_APPS and MIDDLEWARE, and nothing else.

    python -m flagstaff.from_waffle PROJECT            changes the files, and prints each line that changed
    python -m flagstaff.from_waffle PROJECT COPY       the same in a copy

These change, in files that end in .py:

    import waffle                             import flagstaff.django as waffle
    from waffle import ...                    from flagstaff.django import ...
    from waffle.decorators import ...         from flagstaff.django.decorators import ...   (mixins, testutils, views too)
    "waffle"                                  "flagstaff.django"                            (INSTALLED_APPS)
    "waffle.middleware.WaffleMiddleware"      "flagstaff.django.middleware.WaffleMiddleware"
    "waffle.jinja.WaffleExtension"            "flagstaff.django.jinja.WaffleExtension"
    "waffle.urls"                             "flagstaff.django.urls"

What else is said of waffle is printed with a question mark, and stays: the models of django-waffle have no counterpart.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

OURS = "flagstaff.django"
_MODULES = "decorators|mixins|testutils|views|middleware|jinja|urls|templatetags"
_CHANGES = [
    (re.compile(r"^(\s*)import waffle(\s*(?:#.*)?)$"), rf"\1import {OURS} as waffle\2"),
    (re.compile(rf"^(\s*)from waffle((?:\.(?:{_MODULES}))?) import "), rf"\1from {OURS}\2 import "),
    (
        re.compile(r"""(["'])waffle(\.(?:middleware\.WaffleMiddleware|jinja\.WaffleExtension|urls))?\1"""),
        rf"\1{OURS}\2\1",
    ),
]
_LEFT = re.compile(
    r"""^\s*(?:from|import) waffle\b|["']waffle\.|get_waffle_\w+_model|\bwaffle\.(?!\w+_is_active\b)\w+|\(["']waffle["'], """
)
_SKIPPED = {".git", "node_modules", "__pycache__", "site-packages", ".venv", "venv"}


def changed(line: str) -> str:
    """A line of a project, as it should be."""
    if re.match(r"""\s*(?:dependencies\s*=\s*\[)?\s*\(["']waffle["'], """, line):
        return line  # a migration that depends on django-waffle's
    for pattern, ours in _CHANGES:
        line = pattern.sub(ours, line)
    return line


def change(project: Path) -> None:
    """Changes the files of a project, and prints what changed and what is left."""
    for file in sorted(project.rglob("*.py")):
        if _SKIPPED.isdisjoint(file.relative_to(project).parts):
            _change_file(file, str(file.relative_to(project)))


def _change_file(file: Path, name: str) -> None:
    try:
        text = file.read_bytes().decode()
    except UnicodeDecodeError:
        return
    if "waffle" not in text:
        return
    lines = text.split("\n")
    new = [changed(line) for line in lines]
    for number, (before, after) in enumerate(zip(lines, new, strict=True), 1):
        if before != after:
            print(f"{name}:{number}: {after.strip()}")
        elif _LEFT.search(after):
            print(f"{name}:{number}: ? {after.strip()}")
    if new != lines:
        file.write_bytes("\n".join(new).encode())


def main(arguments: list[str]) -> int:
    """The command."""
    if len(arguments) not in (1, 2) or not Path(arguments[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 2
    if len(arguments) == 2:
        shutil.copytree(arguments[0], arguments[1], ignore=shutil.ignore_patterns(*_SKIPPED))
    change(Path(arguments[-1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
