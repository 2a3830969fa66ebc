"""A program that a bench started, and what it cost."""
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

LONGEST_START = 10  # seconds


def processors(workers):
    """Cores for a proxy, and for app and load: with one worker the proxy has core 0 to itself."""
    cores = os.cpu_count() or 1
    return ("0", f"1-{cores - 1}") if workers == 1 and cores > 1 else (None, None)


def pinned(command, cpus):
    return ["taskset", "-c", cpus, *command] if cpus else command


def ran(task):
    """Nanoseconds that a thread has run; 0 when it has just ended."""
    try:
        return int((task / "schedstat").read_text().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Running:
    def __init__(self, command, port, cpus=None, env=None):
        begun = time.monotonic()
        self.process = subprocess.Popen(pinned(command, cpus), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        self.port = port
        while time.monotonic() < begun + LONGEST_START:
            if self.process.poll() is not None:
                sys.exit(f"{command[0]} ended at once: {' '.join(command)}")
            with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
                self.started = time.monotonic() - begun  # seconds until it took connections
                return
            time.sleep(0.002)
        self.stop()
        sys.exit(f"{command[0]} does not listen")

    def processes(self):
        """The program and its children."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        return [pathlib.Path(f"/proc/{pid}") for pid in (self.process.pid, *children)]

    def processor_time(self):
        """Seconds that all its threads have run."""
        tasks = [task for process in self.processes() for task in (process / "task").iterdir()]
        return sum(map(ran, tasks)) / 1e9

    def peak_memory(self):
        """The most MiB that were resident."""
        return self.resident("VmHWM")

    def memory(self):
        """The MiB that are resident now."""
        return self.resident("VmRSS")

    def resident(self, which):
        found = [re.search(rf"{which}:\s+(\d+) kB", (process / "status").read_text()) for process in self.processes()]
        return sum(int(one.group(1)) for one in found if one) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
