"""The load: wrk for HTTP/1.1, h2load for HTTP/2. Both keep their connections."""
import dataclasses
import re
import subprocess
import sys

from proxies.running import pinned
from proxies.setup import COOKIE, VISITOR

CONNECTIONS = 64
STREAMS = 4  # of each HTTP/2 connection, so that as many requests are under way
# What a browser sends beside its cookies.
BROWSER = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-GB,en;q=0.8,de;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
)

# Requests that are ready before the first is sent, in turn.
SCRIPT = """
local ready, at, visitors = {{}}, 0, {visitors}
init = function()
  for i = 1, visitors do
    local headers = {{{headers}}}
    {cookie}
    ready[i] = wrk.format("{method}", "{path}", headers, {body})
  end
end
request = function()
  at = at % visitors + 1
  return ready[at]
end
"""


def script(visitors=1, method="GET", path="/", headers=(), body=None, first=0):
    """A script for wrk: so many visitors in turn, from the number `first`; with none, requests have no visitor."""
    cookie = f'headers["Cookie"] = string.format("{COOKIE}=%022d", {first} + i)' if visitors else ""
    pairs = ", ".join(f'["{name}"] = "{value}"' for name, value in headers)
    body = f'"{body}"' if body is not None else "nil"
    return SCRIPT.format(visitors=visitors or 1, headers=pairs, cookie=cookie, method=method, path=path, body=body)


@dataclasses.dataclass(frozen=True)
class Answered:
    requests: int
    rate: float  # requests a second
    p50: float  # milliseconds
    p99: float


@dataclasses.dataclass(frozen=True)
class Measured:
    rate: float
    spent: float  # microseconds of the proxy's processor time a request
    p50: float
    p99: float


def output(command, seconds, cpus):
    return subprocess.run(pinned(command, cpus), capture_output=True, text=True, timeout=seconds * 5 + 60).stdout


def options(headers):
    """Headers as options of wrk and h2load."""
    return [word for name, value in headers for word in ("-H", f"{name.lower()}: {value}")]


def wrk(url, seconds, cpus, lua=None, connections=CONNECTIONS, headers=()):
    """Asks for so many seconds: as `lua` says, or for one page with one visitor's cookie and these headers."""
    how = ["-s", str(lua)] if lua else options([("Cookie", f"{COOKIE}={VISITOR}"), *headers])
    out = output(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *how, url], seconds, cpus)
    if "Non-2xx" in out or "Socket errors" in out:
        print(out, file=sys.stderr)
    units = {"us": 0.001, "ms": 1, "s": 1000}
    times = {share: float(n) * units[unit] for share, n, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", out)}
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    return Answered(requests, float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), times["50"], times["99"])


def h2load(url, seconds, cpus, log, more=()):
    """The same by HTTP/2. h2load's log has the time of each request."""
    command = ["h2load", "-t1", f"-c{CONNECTIONS // STREAMS}", f"-m{STREAMS}", f"-D{seconds}s", "-H", f"cookie: {COOKIE}={VISITOR}"]
    log.unlink(missing_ok=True)
    out = output([*command, f"--log-file={log}", *more, url], seconds, cpus)
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", out)
    if not failed or set(failed.groups()) != {"0"}:
        print(out, file=sys.stderr)
    times = sorted(int(line.rsplit("\t", 1)[1]) / 1000 for line in log.read_text().splitlines())
    rate = float(re.search(r"finished in [\d.]+m?s, ([\d.]+) req/s", out).group(1))
    return Answered(len(times), rate, times[len(times) // 2], times[len(times) * 99 // 100])


def measure(server, load):
    """What a load of `wrk` or `h2load` costs a program."""
    before = server.processor_time()
    answered = load()
    spent = (server.processor_time() - before) / answered.requests * 1e6
    return Measured(answered.rate, spent, answered.p50, answered.p99)
