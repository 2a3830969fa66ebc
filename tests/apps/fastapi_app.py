"""A FastAPI app behind uvicorn: headers, a WebSocket, server-sent events."""

import asyncio
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.websockets import WebSocketDisconnect

from listening import announce, bound

app = FastAPI()
more = asyncio.Event()


@app.get("/form")
def form(x_flag_contact_form: Annotated[str, Header()] = "off"):
    """As an app uses a flag."""
    return {"form": "short" if x_flag_contact_form == "on" else "long"}


@app.get("/headers")
def headers(request: Request):
    """Every header as the app sees it, lists for those that came more than once."""
    return {name: request.headers.getlist(name) for name in request.headers.keys()}


@app.websocket("/echo")
async def echo(socket: WebSocket):
    """Says first what it knows of the visitor, then whatever is said to it."""
    await socket.accept()
    await socket.send_text("form=" + socket.headers.get("x-flag-contact-form", "off"))
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


@app.get("/events")
def events(x_flag_contact_form: Annotated[str, Header()] = "off"):
    """One event at once, the other when /more is asked for."""

    async def stream():
        yield f"data: form={x_flag_contact_form}\n\n"
        await more.wait()
        yield "data: more\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream")


@app.post("/more")
async def go_on():
    more.set()
    return {}


if __name__ == "__main__":
    sock = bound()
    announce(sock)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off")).run(sockets=[sock])
