"""A flag file of 4 MB that is edited while requests come in: latency in seconds with an edit and in seconds without one, in turn.

It is measured twice. On one core, reading the file has to share it with the requests. On two cores the system may run it beside them.
"""
import time
from statistics import median

from growing import latency
from growing.bench import columns, stopping
from growing.sidecar import Sidecar, loaded_at
from wire import ask

FLAGS = 1_000
USERS = 250  # who are allowed, in each flag
RATE = 1_000  # requests a second
SPAN = 2  # seconds from one edit, or none, to the next; the first of them counts
PAIRS = 3  # of seconds with and without, in each round
BIN = 20  # milliseconds: the longest answer of each is kept


def document(edition):
    """About 4,100,000 bytes, nearly as much as a flag file may have; one flag has another share of visitors in each edition."""
    users = ", ".join(f'"user-{number:07}"' for number in range(USERS))
    flags = [
        f'[flags.f{i}]\nowner = "bench"\npercent = {(i + edition) % 99 + 1 if i == 0 else 50}\n'
        f'description = "One of a thousand flags"\nallow = {{ users = [{users}] }}\n'
        for i in range(FLAGS)
    ]
    return "".join(flags)


def span(server, path):
    """A span with an edit, where there is a new file, or without one."""
    start, spent = time.time(), server.processor_time()
    if path:
        path.rename(server.flags)
    time.sleep(SPAN)
    took = loaded_at(server.health()["flags"]) - start if path else None
    if path and not 0 < took < SPAN:
        raise SystemExit(f"the flags were not read again within {SPAN} s")
    return {"start": start, "took": took, "spent": server.processor_time() - spent}


def spans(server, pairs):
    """Pairs of spans without an edit and with one. Every other pair goes backwards."""
    paths = [server.prepare(document(number + 1), f"next-{number}") for number in range(pairs)]
    load = latency.begin(server.port, RATE, 2 * pairs * SPAN + 4, server.load_cpus)
    time.sleep(2)
    made = []
    for number, path in enumerate(paths):
        for one in (None, path)[:: -1 if number % 2 else 1]:
            made.append(span(server, one))
    return made, latency.end(load)


def times(answers, one):
    within = answers.between(one["start"], one["start"] + 1)
    return {"p50": latency.share(within, 50), "p99": latency.share(within, 99), "longest": within[-1]}


def longest(answers, start):
    """Of each short stretch of a second, the longest answer (ms) to what was asked in it."""
    bins, first = [0.0] * (1000 // BIN), (start - answers.began) * 1e6
    for sent, took in answers.requests:
        at = int((sent - first) // (BIN * 1000))
        if 0 <= at < len(bins):
            bins[at] = max(bins[at], took / 1000)
    return bins


def course(answers, seconds):
    """The median of these seconds, stretch by stretch."""
    columns_of_bins = zip(*(longest(answers, one["start"]) for one in seconds))
    return [(number * BIN, median(bins)) for number, bins in enumerate(columns_of_bins)]


def placed(bench, cores):
    """All spans on so many cores."""
    alone = cores == 1
    with stopping() as servers:
        server = Sidecar(bench, f"reload-{cores}", document(0), cpus=bench.proxy_cpus if alone else None)
        servers.append(server)
        server.load_cpus = bench.other_cpus if alone else None
        ask(server.port, None)
        made, answers = spans(server, PAIRS * bench.rounds)
        edited, rest = [one for one in made if one["took"]], [one for one in made if not one["took"]]
        return {
            "cores": cores, "bytes": server.flags.stat().st_size, "took": [one["took"] for one in edited],
            "spent": [one["spent"] - other["spent"] for one, other in zip(edited, rest)],
            "with": columns([times(answers, one) for one in edited]), "without": columns([times(answers, one) for one in rest]),
            "course": {"with": course(answers, edited), "without": course(answers, rest)},
            "memory": server.memory(), "peak": server.peak_memory(),
        }


def measure(bench):
    return [placed(bench, 1), *([placed(bench, 2)] if bench.proxy_cpus else [])]
