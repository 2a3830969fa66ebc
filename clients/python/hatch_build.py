"""Puts the program into the wheel as the command `flagstaff`, where WHEEL_PROGRAM names a built one."""

from __future__ import annotations

import os
import re
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ProgramHook(BuildHookInterface):
    """Without WHEEL_PROGRAM the wheel is pure Python, for those who run the program elsewhere."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the program, and says for which platform it is."""
        project = Path(self.root).parents[1]
        for licence in project.glob("LICENSE-*") if (project / "Cargo.toml").exists() else ():
            build_data["force_include"][str(licence)] = f"flagstaff/{licence.name}"
        named = os.environ.get("WHEEL_PROGRAM")
        if not named:
            return
        program = Path(named).resolve(strict=True)
        build_data["shared_scripts"] = {str(program): "flagstaff" + program.suffix}
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{os.environ.get('WHEEL_PLATFORM') or platform_of(program)}"


def platform_of(program: Path) -> str:
    """The platform of this machine. On Linux it names the glibc that the program asks for (PEP 600)."""
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if not platform.startswith("linux_"):
        return platform
    machine = platform.removeprefix("linux_")
    needed = [(int(a), int(b)) for a, b in re.findall(rb"GLIBC_([0-9]+)\.([0-9]+)", program.read_bytes())]
    if not needed:
        return f"musllinux_1_1_{machine}"
    major, minor = max(needed)
    return f"manylinux_{major}_{minor}_{machine}"
