"""1 to 10,000 flags: requests a second, processor time of a request, latency, memory, and how long a start and a reload take.

Each flag has a share of visitors of its own, and no request has the visitor of the one before. Half of the flags are on for a visitor, so the header that
the app gets grows as well: 10,000 flags make 50 KB.
"""
import functools

from growing import latency
from growing.bench import columns, stopping
from growing.sidecar import Sidecar
from proxies import load
from proxies.setup import percent
from wire import ask

SIZES = (1, 10, 100, 1_000, 10_000)
VISITORS = 1_000
RATE = 200  # requests a second while latency is measured


def document(many, note):
    """So many flags; the note makes another file of it."""
    return "".join(f'[flags.f{i}]\nowner = "{note}"\npercent = {percent(i)}\n' for i in range(many))


def starts(bench, many):
    """Seconds until it takes connections, each time anew. The first start makes the files of a new folder, and does not count."""
    times = []
    for _ in range(bench.rounds + 1):
        server = Sidecar(bench, f"flags-{many}", document(many, "bench"))
        times.append(server.started)
        server.stop()
    return times[1:]


def loaded(bench, server, script):
    """A round of requests, as many as it can answer; then a round of few, for latency."""
    wrk = functools.partial(load.wrk, server.url, bench.seconds, bench.other_cpus, script)
    busy = load.measure(server, wrk)
    return {"rate": busy.rate, "spent": busy.spent, **latency.measure(server.port, RATE, bench.seconds, bench.other_cpus, VISITORS)}


def reloads(bench, server, many):
    """Seconds until a changed file is in force, and the processor time of it."""
    return [server.edit(document(many, f"edit {number}")) for number in range(bench.rounds)]


def measure(bench):
    script = bench.temp / "visitors.lua"
    script.write_text(load.script(VISITORS))
    started = [starts(bench, many) for many in SIZES]
    with stopping() as servers:
        for many in SIZES:
            servers.append(Sidecar(bench, f"flags-{many}", document(many, "bench")))
            ask(servers[-1].port, None)
        rounds = bench.in_turn([functools.partial(loaded, bench, server, script) for server in servers])
        memory = [server.memory() for server in servers]
        edited = [reloads(bench, server, many) for server, many in zip(servers, SIZES)]
        return [
            {
                "flags": many, **columns(rows), "memory": mib, "start": start, "reload": [took for took, _ in edits],
                "reload_spent": [spent for _, spent in edits], "peak": server.peak_memory(),
            }
            for many, rows, mib, start, edits, server in zip(SIZES, rounds, memory, started, edited, servers)
        ]
