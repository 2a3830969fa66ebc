#!/usr/bin/env python3
"""Has an instrumented build do what it will do in its life, so that the compiler knows which code is hot: `deploy/dist` runs it.

    LLVM_PROFILE_FILE=FOLDER/%p-%m.profraw python3 benches/training.py PROGRAM [--seconds 1]

Pages by HTTP/1.1 and HTTP/2, plain and over TLS; known and new visitors; answers of 304; posts; 0, 10 and 50 flags, a header each and compact;
visitors of experiments who are recorded, without guards and with them, and results. The program ends by SIGTERM, and writes its profile then. Needs nginx, wrk,
h2load and openssl.
"""
import argparse
import pathlib
import signal
import subprocess
import sys
import tempfile

import recording
from proxies import load, nginx
from proxies.ours import Flagstaff, environment
from proxies.running import Running
from proxies.setup import Certificate, Setup, free_port

FORM = "name=Ada&city=London&" + "note=" + "x" * 400
# what wrk sends: whose visits, and what for
PAGES = {
    "the same visitor": {"visitors": 1},
    "many visitors": {"visitors": 10_000},
    "browsers": {"visitors": 10_000, "headers": load.BROWSER},
    "new visitors": {"visitors": 0, "headers": load.BROWSER},
    "pages that are known": {"visitors": 1000, "headers": (*load.BROWSER, ("If-None-Match", '\\"1\\"'))},
    "forms": {
        "visitors": 1000, "method": "POST", "path": "/sent", "body": FORM,
        "headers": (*load.BROWSER, ("Content-Type", "application/x-www-form-urlencoded")),
    },
}


def http1(url, seconds, temp):
    for page in PAGES.values():
        script = temp / "requests.lua"
        script.write_text(load.script(**page))
        load.wrk(url, seconds, None, script)


def http2(url, seconds, temp):
    form = temp / "form"
    form.write_text(FORM)
    browser = load.options(load.BROWSER)
    for more in ([], browser, [*browser, "-d", str(form)]):
        load.h2load(url, seconds, None, temp / "h2load.log", more)


def train(program, send, flags, app, certificate, seconds, temp):
    """One way to send so many flags, plain and over TLS. Two workers: requests pass between threads as they will."""
    for tls in (None, certificate):
        setup = Setup(temp / f"{send}-{flags}-{bool(tls)}", free_port(), app, flags, 2, tls)
        running = Running(Flagstaff("instrumented", program, send).run(setup), setup.port, env=environment())
        url = f"{'https' if tls else 'http'}://127.0.0.1:{setup.port}/"
        try:
            http1(url, seconds, temp)
            http2(url, seconds, temp)
        finally:
            running.stop()


def record(program, app, seconds, temp, guards):
    """Ten experiments whose visitors and goals are recorded."""
    folder = temp / f"recorded-{guards}"
    running = recording.start(program, folder, app, "flagstaff.db", 2, None, guards=guards)
    try:
        cookies = [*recording.visitors(running, 0, 1_000), *map(recording.new_visitor, range(1_000, 10_000))]
        script = recording.script(temp, cookies, 5)
        load.wrk(f"http://127.0.0.1:{running.port}/", 3 * seconds, None, script)
        http1(f"http://127.0.0.1:{running.port}/", seconds, temp)
    finally:
        running.stop()
    command = [program, "results", "f0", "--config", str(folder / "flagstaff.toml"), "--json"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=1, help="of each load")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `finally`, so that what was started is stopped
    with tempfile.TemporaryDirectory() as temp:
        temp = pathlib.Path(temp)
        certificate = Certificate.make(temp / "certificate")
        port = free_port()
        app = nginx.app(temp / "app", port, None)
        try:
            for flags in (0, 10, 50):
                for send in ("each", "compact") if flags else ("both",):
                    print(f"training: {flags} flags, {send}", flush=True)
                    train(args.program, send, flags, port, certificate, args.seconds, temp)
            for guards in (False, True):
                print(f"training: experiments, guards {guards}", flush=True)
                record(args.program, port, args.seconds, temp, guards)
        finally:
            app.stop()


if __name__ == "__main__":
    main()
