"""Flagstaff itself: a build of it, and how it sends flags."""
import os
import pathlib

from proxies.setup import free_port, percent

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SHIPPED = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "dist/flagstaff"


def environment():
    """Ours without settings of the program, which would change what is measured."""
    return {k: v for k, v in os.environ.items() if not k.startswith("FLAGSTAFF_")}


class Flagstaff:
    def __init__(self, name, program, send):
        self.name = name
        self.program = str(program)
        self.send = send

    def flags(self, setup):
        return "".join(f'[flags.f{i}]\nowner = "bench"\npercent = {percent(i)}\n' for i in range(setup.flags)) or "# none\n"

    def config(self, setup):
        tls = f'[tls]\ncertificate = "{setup.tls.certificate}"\nkey = "{setup.tls.key}"\n' if setup.tls else ""
        return f'[headers]\nsend = "{self.send}"\n[log]\nlevel = "error"\n{tls}'

    def run(self, setup):
        setup.write("flags.toml", self.flags(setup))
        command = [self.program, "run", "--config", setup.write("flagstaff.toml", self.config(setup))]
        command += ["--upstream", f"127.0.0.1:{setup.app}", "--workers", str(setup.workers)]
        scheme = "https://" if setup.tls else ""
        return command + ["--listen", f"{scheme}127.0.0.1:{setup.port}", "--admin", f"127.0.0.1:{free_port()}"]

    def check(self, setup):
        return [*self.run(setup), "--dry-run"]

    def version(self):
        return [self.program, "--version"]
