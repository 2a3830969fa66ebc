"""A PostgreSQL of our own, on a free port, for as long as it is needed."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from proxies.running import Running
from proxies.setup import free_port

LONGEST_START = 60  # seconds


def newest():
    """The folder of its programs, where it is installed."""
    versions = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), key=lambda folder: int(folder.parent.name.split(".")[0]), default=None)


class PostgreSQL(Running):
    """It is not safe against a power cut (`fsync=off`): what is measured here is reading."""

    def __init__(self, programs):
        self.programs, self.folder = programs, pathlib.Path(tempfile.mkdtemp())
        self.folder.chmod(0o755)
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(data, "nobody")
        self.as_user("initdb", "--auth=trust", "--username=tester", "--no-sync", "-D", str(data))
        port = free_port()
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-p", str(port), "-D", str(data)]
        super().__init__(self.command("postgres", *options), port)
        self.wait()

    def command(self, program, *words):
        """It refuses to run as root."""
        who = ["--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *who, str(self.programs / program), *words]

    def as_user(self, program, *words):
        subprocess.run(self.command(program, *words), check=True, capture_output=True, cwd="/")

    def psql(self, sql, database="postgres"):
        command = [str(self.programs / "psql"), "-h", "127.0.0.1", "-U", "tester", "-p", str(self.port), "-Atc", sql, database]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def wait(self):
        start = time.monotonic()
        while self.psql("SELECT 1").returncode != 0:
            if time.monotonic() > start + LONGEST_START:
                self.stop()
                raise SystemExit("PostgreSQL does not come")
            time.sleep(0.1)

    def database(self, name):
        """The address of a new, empty database."""
        assert self.psql(f"CREATE DATABASE {name}").returncode == 0
        return f"postgres://tester@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def size(self, name):
        return int(self.psql(f"SELECT pg_database_size('{name}')").stdout)

    def drop(self, name):
        self.psql(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self):
        subprocess.run(self.command("pg_ctl", "stop", "-m", "immediate", "-D", str(self.folder / "data")), check=False, capture_output=True, cwd="/")
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)
