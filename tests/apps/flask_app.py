"""A Flask app behind the standard library's WSGI server, which reads `X_Flag_A` and `X-Flag-A` as one variable."""

import os
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask, Response, jsonify, redirect, request

app = Flask(__name__)


@app.get("/headers")
def headers():
    """Every header as the app sees it, lists for those that came more than once."""
    return jsonify({name.lower(): request.headers.getlist(name) for name in request.headers.keys()})


@app.get("/environ")
def environ():
    """What WSGI made of the headers."""
    return jsonify({name: value for name, value in request.environ.items() if name.startswith("HTTP_")})


@app.post("/login")
def login():
    answer = redirect("/headers", 303)
    answer.headers["X-Flag-Identify"] = request.form["identify"]
    return answer


@app.post("/logout")
def logout():
    answer = redirect("/headers", 303)
    answer.headers["X-Flag-Identify"] = "none"
    return answer


@app.get("/form")
def form():
    """As an app uses a flag."""
    short = request.headers.get("X-Flag-Contact-Form") == "on"
    return Response("short" if short else "long", mimetype="text/plain")


def documented(word):
    """The block of Python in the documentation that has this word, run."""
    text = (Path(__file__).parents[2] / "docs" / "headers.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```python\n")[1:]]
    names = {}
    exec(next(block for block in blocks if word in block), names)
    return names


@app.get("/genuine")
def genuine():
    """Whether the check of the documentation takes the signature."""
    check = documented("def genuine")["genuine"]
    key = os.environ["SHOP_KEY"].encode()
    verdict = check(request.headers, request.method, request.path, key)
    return jsonify(genuine=verdict, told={name.lower(): value for name, value in request.headers.items()})


@app.get("/says")
def says():
    """Directives that are for the proxy alone."""
    answer = Response("said", mimetype="text/plain")
    answer.headers["X-Flag-Exposed"] = "contact_form"
    answer.headers["X-Flag-Event"] = "order_paid; value=49.90"
    return answer


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(app)
    print("listening on 127.0.0.1:%d" % server.server_port, flush=True)
    server.serve_forever()
