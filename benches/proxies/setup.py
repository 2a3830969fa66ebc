"""What each proxy is told: where to listen, which app to ask, how many flags to decide."""
import contextlib
import dataclasses
import pathlib
import random
import socket
import subprocess

COOKIE = "flagstaff_visitor"
VISITOR = "JhoB6FefJzcxCplLENynrQ"


# below those that the kernel takes for connections of clients
PORTS = iter(random.sample(range(10_000, 32_000), 22_000))


def free_port():
    """A port nobody listens on, another one each time."""
    for port in PORTS:
        with contextlib.closing(socket.socket()) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                s.bind(("127.0.0.1", port))
                return port
    raise SystemExit("no free port between 10000 and 32000")


def percent(flag):
    """The share of visitors for whom a flag is on: another one for each flag, all between 1 and 99."""
    return flag * 37 % 99 + 1


@dataclasses.dataclass(frozen=True)
class Certificate:
    certificate: pathlib.Path
    key: pathlib.Path
    both: pathlib.Path

    @classmethod
    def make(cls, folder):
        """A new one for localhost, with a key on P-256."""
        folder.mkdir()
        made = cls(folder / "cert.pem", folder / "key.pem", folder / "both.pem")
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run([*command, "-out", made.certificate, "-keyout", made.key], check=True, capture_output=True)
        made.both.write_bytes(made.certificate.read_bytes() + made.key.read_bytes())
        return made


@dataclasses.dataclass(frozen=True)
class Setup:
    folder: pathlib.Path
    port: int
    app: int  # the app's port
    flags: int
    workers: int
    tls: Certificate | None = None

    def write(self, name, text):
        self.folder.mkdir(exist_ok=True)
        path = self.folder / name
        path.write_text(text)
        return str(path)
