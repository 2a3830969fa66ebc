"""What all parts of the measurement share: the program, the app behind it, the cores, how often."""
import contextlib
import dataclasses
import pathlib

from proxies import nginx
from proxies.running import processors
from proxies.setup import free_port


@dataclasses.dataclass(frozen=True)
class Bench:
    program: str
    temp: pathlib.Path
    app: int  # the app's port
    proxy_cpus: str | None
    other_cpus: str | None
    rounds: int
    seconds: int  # of each round
    long: bool = False
    filling: str | None = None  # the program that fills ledgers

    def in_turn(self, asked):
        """Calls each function once a round. Every other round goes backwards, so that none always follows the same one. The first round warms
        up and does not count. Returns what each function gave, round by round."""
        rounds = []
        for number in range(self.rounds + 1):
            row = [None] * len(asked)
            for i in list(range(len(asked)))[:: -1 if number % 2 else 1]:
                row[i] = asked[i]()
            rounds.append(row)
        return [list(column) for column in zip(*rounds[1:])]


@contextlib.contextmanager
def ready(program, temp, **how):
    """A bench whose app is running."""
    proxy_cpus, other_cpus = processors(1)
    port = free_port()
    app = nginx.app(temp / "app", port, other_cpus)
    try:
        yield Bench(program, temp, port, proxy_cpus, other_cpus, **how)
    finally:
        app.stop()


@contextlib.contextmanager
def stopping():
    """A list of programs; all that are in it at the end are stopped."""
    running = []
    try:
        yield running
    finally:
        for program in running:
            program.stop()


def columns(rows):
    """From a list of measurements to a dictionary of lists."""
    return {name: [row[name] for row in rows] for name in rows[0]}
