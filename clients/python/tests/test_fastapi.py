"""FastAPI."""

import json
import unittest

from fastapi import FastAPI
from fastapi.websockets import WebSocket

import flagstaff
from flagstaff import override
from flagstaff.fastapi import FlagsMiddleware, RequestFlags

app = FastAPI()
app.add_middleware(FlagsMiddleware)


@app.get("/")
async def page(flags: RequestFlags):
    return [flags.form, flagstaff.current().form]


@app.get("/sync")
def in_a_thread(flags: RequestFlags):
    return [flags.form, flagstaff.current().form]


@app.websocket("/socket")
async def socket(socket: WebSocket, flags: RequestFlags):
    await socket.accept()
    await socket.send_text(flags.form)
    await socket.close()


bare = FastAPI()


@bare.get("/")
async def without_middleware(flags: RequestFlags):
    return [flags.form, flags.variant("prices", "classic")]


async def ask(asked, path, kind="http", **headers):
    """What an app answers, as a server would ask it."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": path, "raw_path": path.encode(), "headers": pairs, "query_string": b"", "method": "GET"}
    told = [{"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}]
    sent = []

    async def receive():
        return told.pop(0) if told else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await asked(scope, receive, send)
    return sent


class InFastAPI(unittest.IsolatedAsyncioTestCase):
    async def json(self, asked, path, **headers):
        sent = await ask(asked, path, **headers)
        return json.loads(b"".join(message.get("body", b"") for message in sent))

    async def test_routes(self):
        for route in ("/", "/sync"):
            self.assertEqual(await self.json(app, route, x_flag_form="on"), ["on", "on"])
            self.assertEqual(await self.json(app, route), ["off", "off"])
            with override(form="on"):
                self.assertEqual(await self.json(app, route), ["on", "on"])

    async def test_the_dependency_is_no_parameter(self):
        for described in app.openapi()["paths"].values():
            self.assertNotIn("parameters", described["get"])

    async def test_a_websocket(self):
        sent = await ask(app, "/socket", "websocket", x_flag_form="on")
        self.assertIn("on", [message.get("text") for message in sent])

    async def test_the_dependency_needs_no_middleware(self):
        self.assertEqual(await self.json(bare, "/", x_flags="form=on, prices=simple"), ["on", "simple"])
        self.assertEqual(await self.json(bare, "/"), ["off", "classic"])


if __name__ == "__main__":
    unittest.main()
