"""How long answers take while so many requests come in a second."""
import dataclasses
import json
import pathlib
import subprocess
import sys

from proxies.running import pinned

PACED = pathlib.Path(__file__).with_name("paced.py")


@dataclasses.dataclass(frozen=True)
class Answers:
    began: float  # seconds since 1970
    requests: list  # when each went out and how long it took, µs

    def between(self, start, end):
        """Milliseconds that the requests of a stretch of time (seconds since 1970) took, in order."""
        first, last = (start - self.began) * 1e6, (end - self.began) * 1e6
        return sorted(took / 1000 for sent, took in self.requests if first <= sent < last)

    def all(self):
        return sorted(took / 1000 for _, took in self.requests)


def share(times, percent):
    """The time within which so many percent have their answer."""
    return times[min(len(times) * percent // 100, len(times) - 1)]


def begin(port, rate, seconds, cpus, visitors=1000):
    """A load that goes on beside this program."""
    command = [sys.executable, str(PACED), str(port), str(rate), str(seconds), str(visitors)]
    return subprocess.Popen(pinned(command, cpus), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process):
    said, mistakes = process.communicate()
    if process.returncode != 0:
        sys.exit(f"{PACED.name}: {mistakes.strip()}")
    return Answers(**json.loads(said))


def measure(port, rate, seconds, cpus, visitors=1000):
    times = end(begin(port, rate, seconds, cpus, visitors)).all()
    return {"p50": share(times, 50), "p99": share(times, 99)}
