"""Holds the package's evaluation of a flag file against the program's own: OFREP for thousands of people, `explain` for some.

    python with_program.py ADDRESS TOKEN PROGRAM PEOPLE [FILE]

The program at ADDRESS (its operators' address) serves FILE. Ends with 1 at a difference. Without FILE it is the flags.toml
beside this script, of which it is known what can be decided.
"""

import json
import random
import subprocess
import sys
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

from flagstaff import NOBODY, FlagFile

FLAGS = Path(__file__).parent / "flags.toml"
# What depends on more than the file and the person: how many of all people it leaves undecided, at most.
PARTLY = {"climbing": 0.75, "last_held": 0.06, "guarded": 0.35}


def choose(draw, *values):
    return draw.choice(values)


def person(draw, n):
    """What is known of somebody, as the package takes it. What is None is not known."""
    user = choose(draw, NOBODY, f"u{n % 7}", f"{n}", "ä ö")
    attributes = {
        "plan": choose(draw, "free", "pro", "team", "team-x", "frXe"),
        "app_version": choose(draw, "1.9", "2.3.9", "2.4", "v2.10.1", "3.0.0-rc.1", "3", "?"),
        "header.X-Account": choose(draw, "acme", f"account-{n}"),
        "ip": choose(draw, "10.1.2.3", "192.0.2.1", "2001:db8::7"),
        "path": choose(draw, "/", "/beta", "/beta/x"),
        "host": choose(draw, "shop.example.com", "example.com"),
    }
    return {
        "user": user,
        "visitor": f"visitor-{draw.getrandbits(64):x}",
        "session": f"session-{n}",
        "groups": [g for g in ("beta", "banned", "inside") if draw.random() < 0.2],
        "roles": [r for r in ("staff", "admin") if draw.random() < 0.2],
        "language": choose(draw, "de", "de-AT", "en", "fr-FR", "DEN"),
        "country": choose(draw, "DE", "de", "AT", "FR"),
        "attributes": attributes,
    }


def context(one):
    """The same for OFREP."""
    told = {"targetingKey": one["visitor"], "session": one["session"], "language": one["language"], "country": one["country"]}
    told |= one["attributes"]
    if one["user"] is not NOBODY:
        told |= {"user": one["user"], "groups": one["groups"], "roles": one["roles"]}
    return told


class Program:
    def __init__(self, address, token):
        self.connection = HTTPConnection(address, timeout=30)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def variants(self, one):
        body = json.dumps({"context": context(one)})
        self.connection.request("POST", "/ofrep/v1/evaluate/flags", body, self.headers)
        answer = self.connection.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        return {flag["key"]: flag["variant"] for flag in told["flags"]}


def compared(file, program, one, undecided, partly):
    flags = file.flags_for(**one, remembered={})
    for name, theirs in program.variants(one).items():
        if name in flags.undecided:
            undecided[name] += 1
            assert partly is None or name in partly, f"{name} should be decided for {one}: {flags.undecided[name]}"
        elif flags[name] != theirs:
            sys.exit(f"{name}: the program says {theirs}, the package {flags[name]} for {one}")
    assert len(flags) + len(flags.undecided) == len(file.names())


def explained(file, program, one):
    """The same by `flagstaff explain`, in a process of its own: people without what only a request has."""
    told = {key: one[key] for key in ("user", "visitor", "groups", "roles")}
    command = [program, "explain", "--flags", str(FLAGS), "--json", "--visitor", one["visitor"]]
    if one["user"] is not NOBODY:
        command += ["--user", one["user"], *(f"--group={g}" for g in one["groups"]), *(f"--role={r}" for r in one["roles"])]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    flags = file.flags_for(**told, remembered={})
    decided = 0
    for explanation in json.loads(answer.stdout):
        name = explanation["flag"]
        if name not in flags.undecided:
            assert flags[name] == explanation["variant"], (name, explanation, one)
            decided += 1
    return decided


def main(address, token, binary, people, path=None):
    file, program, draw, undecided = FlagFile(path or FLAGS), Program(address, token), random.Random(20261120), Counter()
    count = int(people)
    everybody = [person(draw, n) for n in range(count)]
    for one in everybody:
        compared(file, program, one, undecided, None if path else PARTLY)
    if path:
        decided = count * len(file.names()) - sum(undecided.values())
        assert decided > count * len(file.names()) * 0.7, f"only {decided} decisions: {undecided}"
        print(f"{count} people, {len(file.names())} flags: {decided} decisions as the program makes them")
        return
    for name, most in PARTLY.items():
        assert 0 < undecided[name] <= most * count, f"{name} was left undecided for {undecided[name]} of {count}"
    decided = sum(explained(file, binary, one) for one in everybody[:12])
    assert decided > 200, decided
    print(f"{count} people, {len(file.names())} flags: as the program decides; {decided} decisions as `explain` says")


if __name__ == "__main__":
    main(*sys.argv[1:])
