"""How an app of the tests says where it listens: the first line of its standard output."""

import socket


def bound():
    """A socket on a free port, not listening yet."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


def announce(sock):
    print("listening on 127.0.0.1:%d" % sock.getsockname()[1], flush=True)
