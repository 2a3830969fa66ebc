"""`flagstaff results FLAG` over 1, 10 and, with `--long`, 100 million exposures, on SQLite and PostgreSQL.

The program's own recorder fills the ledgers and packs them: two variants, one visitor in twenty reaches the goal, four weeks of visitors.
"""
import json
import os
import subprocess
import sys
import time

from growing.postgresql import PostgreSQL, newest
from proxies.ours import environment

MILLION = 1_000_000
TIMES = 3  # each is asked so often
FLAGS = '[flags.form]\nowner = "bench"\npercent = 50\ngoals = ["sent"]\n[goals.sent]\nevent = "sent"\n'


def fill(bench, place, many, flags):
    """Returns how many seconds it took."""
    start = time.monotonic()
    said = subprocess.run([bench.filling, place, str(many), str(flags)], capture_output=True, text=True, check=False)
    if said.returncode != 0:
        sys.exit(f"{bench.filling}: {said.stderr.strip()}")
    return time.monotonic() - start


def ask(bench, settings, many):
    """One run of the command: its seconds, its processor time, its memory at most (MiB)."""
    command = [bench.program, "results", "form", "--config", str(settings), "--json"]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    took, process.returncode = time.monotonic() - start, os.waitstatus_to_exitcode(status)
    counted = sum(json.loads(said)["sample_ratio"]["observed"])
    if counted != many:
        sys.exit(f"the results tell of {counted} visitors, and {many} were recorded")
    return {"took": took, "spent": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / 1024}


def row(bench, store, place, many, size):
    """Fills one ledger, and asks it."""
    folder = bench.temp / f"results-{store}-{many}"
    folder.mkdir()
    flags, settings = folder / "flags.toml", folder / "flagstaff.toml"
    flags.write_text(FLAGS)
    settings.write_text(f'ledger = "{place}"\n')
    print(f"results: {many:,} exposures into {store}", file=sys.stderr)
    filled = fill(bench, place, many, flags)
    asked = [ask(bench, settings, many) for _ in range(TIMES)]
    return {"store": store, "exposures": many, "filled": filled, "bytes": size(), **{name: [one[name] for one in asked] for name in asked[0]}}


def in_files(bench, sizes):
    for many in sizes:
        file = bench.temp / f"ledger-{many}.db"
        yield row(bench, "SQLite", str(file), many, lambda file=file: file.stat().st_size)
        file.unlink()


def in_postgresql(bench, sizes):
    programs = newest()
    if not programs:
        print("PostgreSQL is not installed: left out", file=sys.stderr)
        return
    server = PostgreSQL(programs)
    try:
        for many in sizes:
            name = f"ledger_{many}"
            yield row(bench, "PostgreSQL", server.database(name), many, lambda name=name: server.size(name))
            server.drop(name)
    finally:
        server.stop()


def measure(bench):
    sizes = [MILLION, 10 * MILLION, *([100 * MILLION] if bench.long else [])]
    return [*in_files(bench, sizes), *in_postgresql(bench, sizes)]
