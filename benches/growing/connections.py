"""10 to 10,000 connections that had a request and are idle, beside requests of others: memory of a connection, and latency of those requests.

The kernel's own memory of a connection is not in it.
"""
import functools
import resource
import socket
import sys

from growing import latency
from growing.bench import columns, stopping
from growing.paced import BODY, request
from growing.sidecar import Sidecar
from wire import ask

SIZES = (0, 10, 100, 1_000, 10_000)
SPARE = 1_000  # descriptors beside those of idle connections
FLAGS = '[flags.f0]\nowner = "bench"\npercent = 50\n'
SETTINGS = '[timeouts]\nidle = "1d"\n[limits]\nconnections = 11000\n'
RATE = 500  # requests a second of those who are not idle


def raise_limit(wanted):
    """Lets this program and those that it starts open so many files. Returns how many they may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    except (ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return wanted


def fitting():
    """The sizes for which the limit on open files is high enough: all idle connections are held by this program at once."""
    limit = raise_limit(sum(SIZES) + SPARE)
    sizes = [many for many in SIZES if sum(one for one in SIZES if one <= many) + SPARE <= limit]
    if left := sorted(set(SIZES) - set(sizes)):
        print(f"the limit on open files is {limit} and cannot be raised here: {left} connections are left out", file=sys.stderr)
    return sizes


def idle(port):
    """A connection that had its answer."""
    connection = socket.create_connection(("127.0.0.1", port), 10)
    connection.sendall(request(0))
    got = b""
    while len(got.partition(b"\r\n\r\n")[2]) < BODY:
        got += connection.recv(65536)
    return connection


class Idling:
    """A sidecar, and as many idle connections to it."""

    def __init__(self, bench, many):
        self.bench, self.many = bench, many
        self.server = Sidecar(bench, f"connections-{many}", FLAGS, SETTINGS)
        ask(self.server.port, None)
        self.held = []

    def connect(self):
        latency.measure(self.server.port, RATE, 1, self.bench.other_cpus)
        self.before = self.server.memory()
        self.held = [idle(self.server.port) for _ in range(self.many)]
        self.after = self.server.memory()

    def ask(self):
        before = self.server.processor_time()
        times = latency.measure(self.server.port, RATE, self.bench.seconds, self.bench.other_cpus)
        return {**times, "spent": (self.server.processor_time() - before) / (RATE * self.bench.seconds) * 1e6}

    def close(self):
        """The connections must all have been there until now."""
        open_now = self.server.metric("flagstaff_connections")
        if open_now < self.many:
            sys.exit(f"only {open_now:.0f} of {self.many} idle connections are left")
        for connection in self.held:
            connection.close()


def measure(bench):
    with stopping() as servers:
        all_sizes = [Idling(bench, many) for many in fitting()]
        servers += [one.server for one in all_sizes]
        for one in all_sizes:
            one.connect()
        rounds = bench.in_turn([functools.partial(one.ask) for one in all_sizes])
        for one in all_sizes:
            one.close()
        return [
            {"connections": one.many, **columns(rows), "before": one.before, "after": one.after}
            for one, rows in zip(all_sizes, rounds)
        ]
