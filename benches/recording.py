#!/usr/bin/env python3
"""Requests a second of flagstaff with a ledger beside flagstaff without one, in the same rounds.

    cargo build --profile dist && python3 benches/recording.py [--rounds 7] [--seconds 4] [--workers 1] [--pages 5]

`--program PATH` measures another build. Needs nginx (the app) and wrk. Every few pages (`--pages`) there is another visitor, with a cookie and
with what browsers send; each page exposes ten experiments. Machines are noisy, so both run in turn. Printed are medians, and the median ratio
of the rounds.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import urllib.request

import wire

FLAGS = "".join(f'[flags.f{i}]\nowner = "bench"\npercent = 50\ngoals = ["sent"]\n' for i in range(10))
GOAL = '[goals.sent]\non = "POST /"\n'
LUA = """
local at, first = 0, {first}
request = function()
  at = at + 1
  local headers = {{}}
  headers["Cookie"] = string.format("flagstaff_visitor=%022d", first + math.floor(at / {pages}))
  headers["Accept"] = "text/html,application/xhtml+xml"
  headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
  return wrk.format("GET", "/", headers)
end
"""


def start(program, folder, app, ledger, workers, cpus):
    folder.mkdir()
    (folder / "flags.toml").write_text(FLAGS + GOAL)
    settings = folder / "flagstaff.toml"
    port, admin = wire.free_port(), wire.free_port()
    settings.write_text(f'ledger = "{ledger}"\n[log]\nlevel = "error"\n')
    command = [str(program), "run", "--config", str(settings), "--upstream", f"127.0.0.1:{app}"]
    command += ["--workers", str(workers), "--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("FLAGSTAFF_")}
    running = wire.Running(command, port, cpus, env)
    running.admin = admin
    return running


def load(script, port, seconds, cpus):
    pin = ["taskset", "-c", cpus] if cpus else []
    command = pin + ["wrk", "-t1", "-c64", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}/"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=seconds * 5 + 30).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        print(out, file=sys.stderr)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--program", default=wire.SHIPPED)
    args = parser.parse_args()
    cores = os.cpu_count() or 1
    alone = args.workers == 1 and cores > 1
    proxy_cpus, other_cpus = ("0", f"1-{cores - 1}") if alone else (None, None)
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        port = wire.free_port()
        running = [wire.start_nginx(temp / "app", wire.app_conf(temp / "app", port), port, other_cpus)]
        try:
            ledgers = (("off", "none"), ("on", "flagstaff.db"))
            servers = [start(args.program, temp / name, port, ledger, args.workers, proxy_cpus) for name, ledger in ledgers]
            running += servers
            rows, first, script = [], 0, temp / "visitors.lua"
            for _ in range(args.rounds + 1):
                row = []
                for server in servers:
                    # nobody comes in two rounds
                    first += 10_000_000
                    script.write_text(LUA.format(first=first, pages=args.pages))
                    row.append(load(script, server.port, args.seconds, other_cpus))
                rows.append(row)
            rows = rows[1:]  # the first warms up
            off, on = (statistics.median(column) for column in zip(*rows))
            ratio = statistics.median(b / a for a, b in rows)
            with urllib.request.urlopen(f"http://127.0.0.1:{servers[1].admin}/healthz") as answer:
                ledger = json.load(answer)["ledger"]
            print(f"{args.workers} worker(s), {args.rounds} rounds of {args.seconds} s, a new visitor every {args.pages} pages")
            print(f"nothing kept: {off:.0f} a second; with a ledger: {on:.0f}; ratio {ratio:.2f}")
            print(f"written {ledger['written']}, dropped {ledger['dropped']}, queued {ledger['queued']}")
        finally:
            for server in running:
                server.stop()


if __name__ == "__main__":
    main()
