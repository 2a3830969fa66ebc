"""A flagstaff with a flag file and settings of its own, that can be asked how it is, and whose flags can be replaced."""
import datetime
import json
import re
import time
import urllib.request

from proxies.ours import environment
from proxies.running import Running
from proxies.setup import free_port

LONGEST_RELOAD = 60  # seconds
LONGEST_WRITE = 600
QUIET_LOG = '[log]\nlevel = "error"\n'


class Sidecar(Running):
    """One worker, the header `X-Flags` alone."""

    def __init__(self, bench, name, flags, settings="", cpus="of a proxy"):
        self.folder = bench.temp / name
        self.folder.mkdir(exist_ok=True)
        self.flags = self.folder / "flags.toml"
        self.flags.write_text(flags)
        self.settings = self.folder / "flagstaff.toml"
        self.settings.write_text(f'{settings}\n[headers]\nsend = "compact"\n{QUIET_LOG}')
        port, self.admin = free_port(), free_port()
        command = [bench.program, "run", "--config", str(self.settings), "--upstream", f"127.0.0.1:{bench.app}", "--workers", "1"]
        command += ["--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{self.admin}"]
        super().__init__(command, port, bench.proxy_cpus if cpus == "of a proxy" else cpus, environment())
        self.url = f"http://127.0.0.1:{port}/"

    def asked(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def health(self):
        return json.loads(self.asked("/healthz"))

    def metric(self, name):
        """A number of `/metrics` that has no labels."""
        return float(re.search(rf"^{name} ([\d.e+]+)$", self.asked("/metrics"), re.MULTILINE).group(1))

    def prepare(self, text, name="next"):
        """Another flag file, in a folder that is not watched."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        path = folder / "flags.toml"
        path.write_text(text)
        return path

    def edit(self, text):
        """Replaces the flags. Returns how many seconds later they were in force, and the seconds of processor time that went by."""
        path, spent, before = self.prepare(text), self.processor_time(), self.health()["flags"]["revision"]
        start = time.time()
        path.rename(self.flags)
        while time.time() < start + LONGEST_RELOAD:
            time.sleep(0.05)
            flags = self.health()["flags"]
            if flags["revision"] != before:
                return loaded_at(flags) - start, self.processor_time() - spent
        raise SystemExit(f"the flags of {self.folder.name} were not read again: {flags['problem']}")

    def wait_until_written(self):
        """Until nothing waits for the ledger. Returns what it says of itself then."""
        start = time.time()
        while time.time() < start + LONGEST_WRITE:
            ledger = self.health()["ledger"]
            if ledger["queued"] == 0:
                return ledger
            time.sleep(0.05)
        raise SystemExit(f"the ledger of {self.folder.name} does not get done")


def loaded_at(flags):
    """When flags came in force, in seconds since 1970."""
    return datetime.datetime.fromisoformat(flags["loaded_at"]).timestamp()
