#!/usr/bin/env python3
"""Requests a second of flagstaff with a ledger beside flagstaff without one, in the same rounds.

    deploy/dist && python3 benches/recording.py [--rounds 7] [--seconds 4] [--workers 1] [--pages 5] [--experiments 10] [--guards]

`--program PATH` measures another build. Needs nginx (the app) and wrk. Every few pages (`--pages`) there is another visitor, with what browsers send:
all cookies that came with an earlier page are among it. Each page exposes all experiments (`--experiments`). With `--guards` each experiment has a guard
too where there is a ledger.
Machines are noisy, so both run in turn. Printed are medians, and the median ratio of the rounds.
"""
import argparse
import http.client
import json
import pathlib
import statistics
import tempfile
import urllib.request

from proxies import load, nginx
from proxies.ours import SHIPPED, environment
from proxies.running import Running, processors
from proxies.setup import COOKIE, free_port

FLAG = '[flags.f{}]\nowner = "bench"\npercent = 50\ngoals = ["sent"]\n'
GUARD = '[flags.f{}.guard]\nerrors = "5xx"\n'
GOAL = '[goals.sent]\non = "POST /"\n'
# Requests are ready before the first is sent. Each visitor makes a few pages, and the next one follows.
LUA = """
local at, ready = 0, {{}}
init = function()
  local headers = {{{headers}}}
  for cookies in io.lines("{cookies}") do
    headers["Cookie"] = cookies
    ready[#ready + 1] = wrk.format("GET", "/", headers)
  end
end
request = function()
  at = at + 1
  return ready[math.floor(at / {pages}) % #ready + 1]
end
"""
FASTEST = 80_000  # pages a second: no visitor comes twice


def start(program, folder, app, ledger, workers, cpus, experiments=10, guards=False):
    folder.mkdir()
    flag = FLAG + (GUARD if guards else "")
    (folder / "flags.toml").write_text("".join(flag.replace("{}", str(i)) for i in range(experiments)) + GOAL)
    settings = folder / "flagstaff.toml"
    port, admin = free_port(), free_port()
    (folder / "keys").write_text("a key that all programs of the bench share\n")
    settings.write_text(f'ledger = "{ledger}"\nkeys_file = "keys"\n[log]\nlevel = "error"\n')
    command = [str(program), "run", "--config", str(settings), "--upstream", f"127.0.0.1:{app}"]
    command += ["--workers", str(workers), "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}"]
    running = Running(command, port, cpus, environment())
    running.admin = admin
    return running


def new_visitor(number):
    """What a browser sends as cookies that knows the visitor's id alone."""
    return f"{COOKIE}={number:022d}"


def visitors(server, first, count):
    """What so many browsers, numbered from `first`, send as cookies after their first page, which was of this server."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for number in range(first, first + count):
        own = new_visitor(number)
        connection.request("GET", "/", headers={**dict(load.BROWSER), "Cookie": own})
        answer = connection.getresponse()
        answer.read()
        given = [cookie.partition(";")[0] for cookie in answer.headers.get_all("Set-Cookie", [])]
        yield "; ".join([own, *given])
    connection.close()


def script(folder, cookies, pages):
    """A load for wrk: each line of cookies asks for so many pages, one after the other."""
    (folder / "cookies").write_text("\n".join(cookies))
    headers = ", ".join(f'["{name}"] = "{value}"' for name, value in load.BROWSER)
    path = folder / "visitors.lua"
    path.write_text(LUA.format(headers=headers, cookies=folder / "cookies", pages=pages))
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--experiments", type=int, default=10)
    parser.add_argument("--guards", action="store_true")
    parser.add_argument("--program", default=SHIPPED)
    args = parser.parse_args()
    proxy_cpus, other_cpus = processors(args.workers)
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        port = free_port()
        running = [nginx.app(temp / "app", port, other_cpus)]
        try:
            how = (args.program, temp / "off", port, "none", args.workers, proxy_cpus, args.experiments)
            servers = [start(*how), start(args.program, temp / "on", port, "flagstaff.db", *how[4:], guards=args.guards)]
            running += servers
            rows, first = [], 0
            count = FASTEST * args.seconds // args.pages + 1
            for _ in range(args.rounds + 1):
                row = []
                for server in servers:
                    # nobody comes in two rounds, and the ledger has seen nobody before
                    path = script(temp, visitors(servers[0], first, count), args.pages)
                    first += count
                    row.append(load.wrk(f"http://127.0.0.1:{server.port}/", args.seconds, other_cpus, path).rate)
                rows.append(row)
            rows = rows[1:]  # the first warms up
            off, on = (statistics.median(column) for column in zip(*rows))
            ratio = statistics.median(b / a for a, b in rows)
            with urllib.request.urlopen(f"http://127.0.0.1:{servers[1].admin}/healthz") as answer:
                ledger = json.load(answer)["ledger"]
            print(f"{args.workers} worker(s), {args.rounds} rounds of {args.seconds} s, {args.experiments} experiments, a new visitor every {args.pages} pages")
            kept = "a ledger and guards" if args.guards else "a ledger"
            print(f"nothing kept: {off:.0f} a second; with {kept}: {on:.0f}; ratio {ratio:.2f}")
            print(f"written {ledger['written']}, dropped {ledger['dropped']}, queued {ledger['queued']}")
        finally:
            for server in running:
                server.stop()


if __name__ == "__main__":
    main()
