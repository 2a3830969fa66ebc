#!/usr/bin/env python3
"""Flagstaff beside nginx, HAProxy and Envoy that decide as many flags, in the same rounds.

    deploy/dist && python3 benches/wire.py [--rounds 5] [--seconds 1] [--workers 1,2] [--flags 0,1,10,50] [--wires h1,tls,h2]

The app behind all is an nginx that answers 1 KiB from memory. Machines are noisy, so all run in turn, in short rounds; printed are medians, and
medians of the ratios of each round: above 1 is ahead of the first row. With one worker the proxy has core 0 to itself, and app and load share the
others. The processor time of a request hardly changes when other programs use the machine. One that is not installed is left out.
"""
import argparse
import datetime
import functools
import http.client
import os
import pathlib
import platform
import re
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile

from proxies import load, nginx, ours
from proxies.envoy import Envoy
from proxies.haproxy import Haproxy
from proxies.running import Running, processors
from proxies.setup import COOKIE, VISITOR, Certificate, Setup, free_port

OTHERS = {proxy.name: proxy for proxy in (nginx.Nginx, Haproxy, Envoy)}
WIRES = {"h1": "HTTP/1.1", "tls": "HTTP/1.1 over TLS", "h2": "HTTP/2 over TLS"}


def ask(port, tls):
    """One request, as a check that the whole chain works."""
    unchecked = ssl._create_unverified_context()
    kind = functools.partial(http.client.HTTPSConnection, context=unchecked) if tls else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=5)
    connection.request("GET", "/", headers={"Cookie": f"{COOKIE}={VISITOR}"})
    response = connection.getresponse()
    body = response.read()
    assert response.status == 200 and len(body) == 1024, f"port {port} answered {response.status} with {len(body)} bytes"


def loads(server, wire, args, temp, cpus):
    """The load of one wire, as a function that is called once a round."""
    scheme = "http" if wire == "h1" else "https"
    url = f"{scheme}://127.0.0.1:{server.port}/"
    headers = load.BROWSER if args.browser else ()
    if wire == "h2":
        return functools.partial(load.h2load, url, args.seconds, cpus, temp / "h2load.log", load.options(headers))
    lua = None
    if args.visitors > 1:
        lua = temp / "visitors.lua"
        lua.write_text(load.script(args.visitors, headers=headers))
    return functools.partial(load.wrk, url, args.seconds, cpus, lua, headers=headers)


def table(proxies, rounds, peaks):
    """Rows of a table in Markdown."""
    rows = [("", "requests/s", "ratio", "µs", "ratio", "p50 ms", "p99 ms", "MiB")]
    for i, proxy in enumerate(proxies):
        middle = {name: statistics.median(getattr(row[i], name) for row in rounds) for name in ("rate", "spent", "p50", "p99")}
        faster = statistics.median(row[i].rate / row[0].rate for row in rounds)
        cheaper = statistics.median(row[0].spent / row[i].spent for row in rounds)
        rows.append((
            proxy.name, f"{middle['rate']:,.0f}", f"{faster:.2f}", f"{middle['spent']:.1f}", f"{cheaper:.2f}",
            f"{middle['p50']:.2f}", f"{middle['p99']:.2f}", f"{peaks[i]:.0f}",
        ))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return [lines[0], "|" + "---|" * len(widths), *lines[1:]]


def compare(proxies, setups, wire, args, temp, app, flags, workers, tls):
    """All proxies with so many flags, round by round. Every other round goes backwards, so that none always follows the same one."""
    proxy_cpus, other_cpus = processors(workers)
    running = []
    try:
        for i, proxy in enumerate(proxies):
            setup = Setup(temp / f"{setups}-{i}", free_port(), app, flags, workers, tls)
            running.append(Running(proxy.run(setup), setup.port, proxy_cpus, ours.environment()))
            ask(setup.port, tls)
        ready = [loads(server, wire, args, temp, other_cpus) for server in running]
        for server, asked in zip(running, ready):
            load.measure(server, asked)  # the first one warms up
        rounds = []
        for number in range(args.rounds):
            row = [None] * len(running)
            for i in list(range(len(running)))[:: -1 if number % 2 else 1]:
                row[i] = load.measure(running[i], ready[i])
            rounds.append(row)
        return rounds, [server.peak_memory() for server in running]
    finally:
        for server in running:
            server.stop()


def builds(args):
    """Our builds in each way to send flags. `NAME=PATH` gives a build a name, which is needed where there are several."""
    for given in args.program or [str(ours.SHIPPED)]:
        name, _, path = given.rpartition("=")
        if not os.access(path, os.X_OK):
            sys.exit(f"benches/wire.py: there is no program at {path}: run deploy/dist, or give --program PATH")
        for send in args.send.split(","):
            yield ours.Flagstaff(f"{name or 'flagstaff'} {send}", path, send)


def others(args):
    for name in filter(None, args.beside.split(",")):
        if name not in OTHERS:
            sys.exit(f"benches/wire.py: --beside takes {', '.join(OTHERS)}, and not {name}")
        proxy = OTHERS[name]()
        if proxy.program:
            yield proxy
        else:
            print(f"{name} is not installed: left out", file=sys.stderr)


def machine(proxies):
    """What the figures belong to."""
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", cpu)
    known = [name for name in ("sha_ni", "avx2", "avx512f", "sha2") if re.search(rf"\b{name}\b", cpu)]
    print(f"{datetime.date.today()}, {model.group(1) if model else platform.machine()} ({' '.join(known)}), {os.cpu_count()} cores, Linux {platform.release()}")
    for name, command in {proxy.name.split()[0]: proxy.version() for proxy in proxies}.items():
        said = subprocess.run(command, capture_output=True, text=True, env=ours.environment())
        print(f"{name}: {(said.stdout + said.stderr).strip().splitlines()[0]}")


def check(proxies, args, temp):
    """Has each program read its settings, of each number of flags, plain and encrypted. Starts and measures nothing."""
    certificate = Certificate.make(temp / "certificate")
    failed = False
    for number, (proxy, flags, tls) in enumerate((p, f, t) for p in proxies for f in args.flags for t in (None, certificate)):
        setup = Setup(temp / str(number), free_port(), free_port(), flags, 2, tls)
        said = subprocess.run(proxy.check(setup), capture_output=True, text=True, env=ours.environment())
        print(f"{proxy.name}, {flags} flags{', TLS' if tls else ''}: {'accepted' if said.returncode == 0 else said.stdout + said.stderr}")
        failed |= said.returncode != 0
    return failed


def measured(proxies, args, temp):
    machine(proxies)
    certificate = Certificate.make(temp / "certificate") if {"tls", "h2"} & set(args.wires) else None
    port = free_port()
    for workers in args.workers:
        app = nginx.app(temp / f"app-{workers}", port, processors(workers)[1])
        try:
            for wire in args.wires:
                for flags in args.flags:
                    setups = f"{workers}-{wire}-{flags}"
                    tls = None if wire == "h1" else certificate
                    rounds, peaks = compare(proxies, setups, wire, args, temp, port, flags, workers, tls)
                    asked = f", visitors: {args.visitors}" if args.visitors > 1 and wire != "h2" else ""
                    asked += ", of a browser" if args.browser else ""
                    print(f"\n{WIRES[wire]}, workers: {workers}, flags: {flags}{asked}, rounds: {args.rounds} of {args.seconds} s\n")
                    print("\n".join(table(proxies, rounds, peaks)), flush=True)
        finally:
            app.stop()


def main():
    def listed(kind):
        return lambda text: [kind(word) for word in text.split(",")]

    def wires(text):
        if unknown := set(text.split(",")) - set(WIRES):
            raise argparse.ArgumentTypeError(f"takes {', '.join(WIRES)}, and not {', '.join(sorted(unknown))}")
        return text.split(",")

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each round and program")
    parser.add_argument("--workers", type=listed(int), default=[1])
    parser.add_argument("--flags", type=listed(int), default=[0, 1, 10, 50])
    parser.add_argument("--wires", type=wires, default=["h1"], help="h1, tls (HTTP/1.1), h2 (over TLS)")
    parser.add_argument("--visitors", type=int, default=1, help="in turn, so that hardly a request has the visitor of the one before (not for h2)")
    parser.add_argument("--browser", action="store_true", help="requests have what a browser sends: they count for metrics, and the next one of a connection is like the last")
    parser.add_argument("--beside", default=",".join(OTHERS), help="the first one is what the others are compared with")
    parser.add_argument("--send", default="each,compact", help="each, compact, both: how our builds send flags")
    parser.add_argument("--program", action="append", metavar="[NAME=]PATH", help="a build of ours; several are compared in the same rounds")
    parser.add_argument("--check", action="store_true", help="only have each program check its settings")
    args = parser.parse_args()
    needed = {"openssl"} if args.check else {"nginx", "taskset", "openssl", "wrk", *(["h2load"] if "h2" in args.wires else [])}
    if missing := sorted(tool for tool in needed if not shutil.which(tool)):
        sys.exit(f"benches/wire.py: not installed: {', '.join(missing)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `finally`, so that what was started is stopped
    proxies = [*others(args), *builds(args)]
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        if args.check:
            sys.exit(check(proxies, args, temp))
        measured(proxies, args, temp)


if __name__ == "__main__":
    main()
