#!/usr/bin/env python3
"""How figures grow: with flags, visitors, connections, the size of a file that is reloaded, and the exposures behind a result. Draws them, too.

    python3 benches/growth.py --program target/dist/flagstaff [--only flags,visitors,connections,reload,results] [--json FILE]
    python3 benches/growth.py --draw FILE

The app is an nginx that answers 1 KiB from memory. The sidecar has one worker and core 0; app and load have the others. Sizes take turns in short rounds,
and printed are medians. Pictures go to docs/pictures/growth-*.svg; from the same figures they are the same. With `--json` the figures are kept, and those
of other parts that are in the file stay. `results` needs `cargo build --release -p flagstaff-benches --example filling`, which fills the ledgers.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from growing import connections, flags, pictures, reload, results, visitors
from growing.bench import ready
from proxies.ours import ROOT, SHIPPED, environment

PARTS = {"flags": flags, "visitors": visitors, "connections": connections, "reload": reload, "results": results}
FILLING = SHIPPED.parent.parent / "release/examples/filling"
PICTURES = ROOT / "docs/pictures"


def machine(program):
    """What the figures belong to. Other programs at work make them worse, so the load is told too."""
    model = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, env=environment()).stdout.strip()
    cores = f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores"
    return f"{datetime.date.today()}, {cores}, Linux {platform.release()}, {version}; load before it began: {os.getloadavg()[0]:.1f}"


def kept(path):
    """The figures of earlier runs."""
    if path and path.exists():
        return json.loads(path.read_text())
    return {"machines": {}, "parts": {}}


def measured(args):
    """Measures part by part, and keeps each as soon as it is there."""
    figures = kept(args.json)
    for part in args.only:
        where = machine(args.program)
        with tempfile.TemporaryDirectory() as temp:
            how = {"rounds": args.rounds, "seconds": args.seconds, "long": args.long, "filling": args.filling}
            with ready(args.program, pathlib.Path(temp), **how) as bench:
                rows = PARTS[part].measure(bench)
        figures["parts"][part], figures["machines"][part] = rows, where
        print(f"\n{part}: {figures['machines'][part]}\n\n{pictures.TABLES[part](rows)}", flush=True)
        if args.json:
            args.json.write_text(json.dumps(figures) + "\n")
    return figures


def missing(args):
    """What is not there and is needed."""
    tools = [tool for tool in ("nginx", "taskset", "wrk", "pgrep") if not shutil.which(tool)]
    programs = [args.program, *([args.filling] if "results" in args.only else [])]
    return tools + [program for program in programs if not os.access(program, os.X_OK)]


def arguments():
    def parts(text):
        if unknown := set(text.split(",")) - set(PARTS):
            raise argparse.ArgumentTypeError(f"takes {', '.join(PARTS)}, and not {', '.join(sorted(unknown))}")
        return text.split(",")

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=str(SHIPPED), help="a build of flagstaff")
    parser.add_argument("--only", type=parts, default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each round")
    parser.add_argument("--long", action="store_true", help="results over 100 million exposures as well; takes hours and 15 GB")
    parser.add_argument("--filling", default=str(FILLING), metavar="PATH", help="the program that fills ledgers, for results")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="keeps the figures there")
    parser.add_argument("--draw", type=pathlib.Path, metavar="FILE", help="measures nothing, and draws the figures that were kept")
    parser.add_argument("--pictures", type=pathlib.Path, default=PICTURES, metavar="FOLDER", help="where to draw")
    return parser.parse_args()


def main():
    args = arguments()
    if args.draw:
        figures = kept(args.draw)
        for part, rows in figures["parts"].items():
            print(f"{part}: {figures['machines'][part]}\n\n{pictures.TABLES[part](rows)}\n")
    else:
        if lacking := missing(args):
            sys.exit(f"benches/growth.py: not there: {', '.join(lacking)}")
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # through `finally`, so that what was started is stopped
        figures = measured(args)
    for file in pictures.draw(figures, args.pictures):
        print(file.name)


if __name__ == "__main__":
    main()
