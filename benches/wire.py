#!/usr/bin/env python3
"""Requests a second of flagstaff beside nginx `split_clients` with as many flags, in the same rounds.

    cargo build --profile dist && python3 benches/wire.py [--rounds 9] [--seconds 2] [--workers 1] [--flags 0,10,50]

`--program PATH` measures another build. Needs nginx and wrk. The app behind both is an nginx that answers 1 KiB from memory. With one worker
the proxy has core 0 to itself; app and load share the others. Machines are noisy, so both run in turn, in short rounds. Printed are medians:
requests a second, the ratio of each round, and the processor time of a request. The last hardly changes when other programs use the machine.
"""
import argparse
import contextlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COOKIE = "flagstaff_visitor=JhoB6FefJzcxCplLENynrQ"
SHIPPED = ROOT / "target/dist/flagstaff"


def free_port():
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def percent(i):
    return i * 37 % 99 + 1


def nginx_conf(folder, workers, body):
    return f"""
worker_processes {workers}; daemon off; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000000;
  {body}
}}"""


def app_conf(folder, port):
    page = "x" * 1024
    server = f'server {{ listen 127.0.0.1:{port}; default_type text/html; location / {{ return 200 "{page}"; }} }}'
    return nginx_conf(folder, 1, server)


def proxy_conf(folder, port, app, flags, workers):
    split = "".join(
        f'split_clients "f{i}:$cookie_flagstaff_visitor" $f{i} {{ {percent(i)}% on; * ""; }}\n' for i in range(flags)
    )
    headers = "".join(f"proxy_set_header X-Flag-F{i} $f{i};\n" for i in range(flags))
    return nginx_conf(folder, workers, f"""
  variables_hash_max_size 4096;
  upstream app {{ server 127.0.0.1:{app}; keepalive 256; keepalive_requests 100000000; }}
  {split}
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{
    proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Visitor-Id $cookie_flagstaff_visitor;
    {headers} }} }}""")


class Running:
    def __init__(self, command, port, cpus=None, env=None):
        pin = ["taskset", "-c", cpus] if cpus else []
        self.process = subprocess.Popen(pin + command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        self.port = port
        for _ in range(200):
            if self.process.poll() is not None:
                sys.exit(f"{command[0]} ended at once")
            with contextlib.suppress(OSError), contextlib.closing(socket.create_connection(("127.0.0.1", port), 1)):
                return
            time.sleep(0.05)
        sys.exit(f"{command[0]} does not listen")

    def processor_time(self):
        """Seconds that all threads of the program and its children have run."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        tasks = [t for pid in (self.process.pid, *children) for t in pathlib.Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def start_nginx(folder, conf, port, cpus):
    folder.mkdir()
    path = folder / "nginx.conf"
    path.write_text(conf)
    return Running(["nginx", "-c", str(path), "-e", str(folder / "error.log")], port, cpus)


def start_flagstaff(program, folder, app, flags, workers, send, cpus):
    folder.mkdir()
    text = "".join(f'[flags.f{i}]\nowner = "bench"\npercent = {percent(i)}\n' for i in range(flags)) or "# none\n"
    (folder / "flags.toml").write_text(text)
    port, admin = free_port(), free_port()
    settings = folder / "flagstaff.toml"
    settings.write_text(f'[headers]\nsend = "{send}"\n[log]\nlevel = "error"\n')
    command = [str(program), "run", "--config", str(settings), "--upstream", f"127.0.0.1:{app}", "--workers", str(workers)]
    command += ["--listen", f"127.0.0.1:{port}", "--admin", f"127.0.0.1:{admin}"]
    env = {k: v for k, v in os.environ.items() if not k.startswith("FLAGSTAFF_")}
    return Running(command, port, cpus, env)


def load(server, seconds, cpus):
    """Requests a second, and microseconds of processor time a request."""
    pin = ["taskset", "-c", cpus] if cpus else []
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "-H", f"Cookie: {COOKIE}", f"http://127.0.0.1:{server.port}/"]
    before = server.processor_time()
    out = subprocess.run(pin + command, capture_output=True, text=True, timeout=seconds * 5 + 30).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        print(out, file=sys.stderr)
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    spent = (server.processor_time() - before) / requests * 1e6
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), spent


def check(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/", headers={"Cookie": COOKIE})
    response = connection.getresponse()
    assert response.status == 200 and len(response.read()) == 1024


def cell(rows, column):
    """Medians of one program, and of nginx's figures over them: above 1 is ahead of nginx."""
    rate, spent = (statistics.median(row[column][i] for row in rows) for i in (0, 1))
    if column == 0:
        return f"{rate:>8.0f} {spent:5.1f}"
    faster = statistics.median(row[column][0] / row[0][0] for row in rows)
    cheaper = statistics.median(row[0][1] / row[column][1] for row in rows)
    return f"{rate:>8.0f} ({faster:.2f}) {spent:5.1f} ({cheaper:.2f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--flags", default="0,10,50")
    parser.add_argument("--program", default=SHIPPED)
    args = parser.parse_args()
    missing = [tool for tool in ("nginx", "wrk", "taskset") if not shutil.which(tool)]
    if missing:
        sys.exit(f"benches/wire.py: not installed: {', '.join(missing)}")
    cores = os.cpu_count() or 1
    alone = args.workers == 1 and cores > 1
    proxy_cpus, other_cpus = ("0", f"1-{cores - 1}") if alone else (None, None)
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        app_port = free_port()
        running = [start_nginx(temp / "app", app_conf(temp / "app", app_port), app_port, other_cpus)]
        try:
            print(f"{args.workers} worker(s), {args.rounds} rounds of {args.seconds} s, 64 connections, {cores} cores")
            print("requests a second, microseconds of processor time a request; in brackets how far ahead of nginx (1: as fast)")
            print(f"{'flags':>5} {'nginx':>14} {'both':>28} {'compact':>28}")
            for flags in (int(n) for n in args.flags.split(",")):
                port, folder = free_port(), temp / f"n{flags}"
                nginx = start_nginx(folder, proxy_conf(folder, port, app_port, flags, args.workers), port, proxy_cpus)
                ours = {
                    send: start_flagstaff(args.program, temp / f"{send}{flags}", app_port, flags, args.workers, send, proxy_cpus)
                    for send in ("both", "compact")
                }
                running += [nginx, *ours.values()]
                rows = []
                for server in (nginx, *ours.values()):
                    check(server.port)
                    load(server, 1, other_cpus)
                for _ in range(args.rounds):
                    rows.append([load(s, args.seconds, other_cpus) for s in (nginx, *ours.values())])
                print(f"{flags:>5}", *(cell(rows, i) for i in range(3)), flush=True)
                for server in (nginx, *ours.values()):
                    server.stop()
                    running.remove(server)
        finally:
            for server in running:
                server.stop()


if __name__ == "__main__":
    main()
