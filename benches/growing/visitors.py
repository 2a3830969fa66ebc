"""1 to 1,000,000 visitors who are in an experiment and recorded in a ledger on SQLite: memory, and processor time of a request of one of them.

Visitors come from 4,096 networks, because one network may record only so much. The processor time includes writing what a request gives the ledger, also
what is written after the round.
"""
import functools
import json
import subprocess

from growing.bench import columns, stopping
from growing.sidecar import Sidecar
from proxies import load
from proxies.ours import environment

SIZES = (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000)
FLAGS = '[flags.form]\nowner = "bench"\npercent = 50\ngoals = ["sent"]\n[goals.sent]\non = "POST /"\n'
# the load says of each visitor where it comes from
TRUSTING = '[trust]\naddresses = ["127.0.0.1"]\n'
LUA = """
local at = {first} - 1
local headers = {{}}
headers["Accept"] = "text/html,application/xhtml+xml"
headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
math.randomseed({seed})
request = function()
  at = {next}
  local number = at % {many}
  headers["Cookie"] = string.format("flagstaff_visitor=%022d", number)
  headers["X-Forwarded-For"] = string.format("10.%d.%d.9", math.floor(number / 256) % 16, number % 256)
  return wrk.format("GET", "/", headers)
end
"""
EACH = "at + 1"  # one after the other
ANY = "math.random(0, {many} - 1)"


class Visitors:
    """A sidecar, and as many visitors as it knows."""

    def __init__(self, bench, many):
        self.bench, self.many, self.rounds = bench, many, 0
        self.server = Sidecar(bench, f"visitors-{many}", FLAGS, TRUSTING)
        self.script = bench.temp / f"visitors-{many}.lua"

    def load(self, seconds, following, first=0):
        text = LUA.format(first=first, seed=self.rounds, many=self.many, next=following.format(many=self.many))
        self.script.write_text(text)
        return load.wrk(self.server.url, seconds, self.bench.other_cpus, self.script)

    def introduce(self):
        """Each visitor comes once or more. A second at a time, so that the ledger keeps up."""
        self.before = self.server.memory()
        asked = 0
        while asked < self.many:
            asked += self.load(1, EACH, asked).requests
            self.server.wait_until_written()

    def ask(self):
        """A round of requests of visitors who are known, whoever comes."""
        self.rounds += 1
        before, spent = self.server.wait_until_written(), self.server.processor_time()
        requests = self.load(self.bench.seconds, ANY).requests
        after = self.server.wait_until_written()
        return {
            "spent": (self.server.processor_time() - spent) / requests * 1e6,
            "rows": (after["written"] - before["written"]) / requests,
            "dropped": (after["dropped"] - before["dropped"]) / requests,
        }

    def recorded(self):
        """Visitors of the experiment, as the ledger has them."""
        command = [self.bench.program, "results", "form", "--config", str(self.server.settings), "--json"]
        said = subprocess.run(command, capture_output=True, text=True, check=False, env=environment()).stdout
        return sum(json.loads(said)["sample_ratio"]["observed"])


def measure(bench):
    with stopping() as servers:
        all_sizes = [Visitors(bench, many) for many in SIZES]
        servers += [one.server for one in all_sizes]
        for one in all_sizes:
            one.introduce()
        rounds = bench.in_turn([functools.partial(one.ask) for one in all_sizes])
        return [
            {"visitors": one.recorded(), **columns(rows), "before": one.before, "memory": one.server.memory()}
            for one, rows in zip(all_sizes, rounds)
        ]
