"""So many requests a second, evenly, whatever becomes of those before: a program of its own, so that nothing else slows it down.

    python3 benches/growing/paced.py PORT RATE SECONDS [VISITORS]

Each request goes out when it is due, on a connection that is free, with the cookie of one of so many visitors. So an answer that takes long holds up no
other request. It prints JSON: when it began (seconds since 1970), and for each request when it went out and how long its answer took (µs).
"""
import json
import select
import socket
import sys
import time

CONNECTIONS = (16, 900)  # at the start, and at most: select() takes no more
BODY = 1024
ANSWER = 10  # seconds that it may take at most


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), ANSWER)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.sent = 0.0

    def fileno(self):
        return self.socket.fileno()

    def send(self, request):
        self.got = b""
        self.sent = time.perf_counter()
        self.socket.sendall(request)

    def take(self):
        """Takes what has come. Whether that is the whole answer."""
        piece = self.socket.recv(65536)
        if not piece:
            sys.exit("a connection was closed before its answer")
        self.got += piece
        head, _, body = self.got.partition(b"\r\n\r\n")
        if len(body) < BODY:
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"the answer was {head[:60]!r}")
        return True


class Load:
    def __init__(self, port):
        self.port = port
        self.idle = [Connection(port) for _ in range(CONNECTIONS[0])]
        self.waiting = []
        self.done = []
        self.began, self.start = time.time(), time.perf_counter()

    def send(self, request):
        if len(self.waiting) >= CONNECTIONS[1]:
            sys.exit(f"{CONNECTIONS[1]} requests wait for their answers")
        connection = self.idle.pop() if self.idle else Connection(self.port)
        connection.send(request)
        self.waiting.append(connection)

    def take(self, longest):
        """Takes the answers that come within so many seconds, at least once."""
        for connection in select.select(self.waiting, [], [], longest)[0]:
            now = time.perf_counter()
            if connection.take():
                self.done.append((round((connection.sent - self.start) * 1e6), round((now - connection.sent) * 1e6)))
                self.waiting.remove(connection)
                self.idle.append(connection)

    def run(self, rate, seconds, requests):
        for number in range(rate * seconds):
            due = self.start + number / rate
            while (left := due - time.perf_counter()) > 0:
                self.take(left)
            self.send(requests[number % len(requests)])
        end = time.perf_counter() + ANSWER
        while self.waiting:
            if time.perf_counter() > end:
                sys.exit(f"{len(self.waiting)} requests got no answer")
            self.take(ANSWER)


def request(visitor):
    return f"GET / HTTP/1.1\r\nHost: shop.example\r\nCookie: flagstaff_visitor={visitor:022}\r\n\r\n".encode()


def main():
    port, rate, seconds, visitors = map(int, [*sys.argv[1:], "1000"][:4])
    requests = [request(visitor) for visitor in range(visitors)]
    load = Load(port)
    load.run(rate, seconds, requests)
    json.dump({"began": load.began, "requests": sorted(load.done)}, sys.stdout)


if __name__ == "__main__":
    main()
