"""One page that shows the flags as the package `flagstaff` reads them, in the framework that APP names. KEY: only signed ones count.
ROOT: where the server believes that the app is."""

import asyncio
import json
import os
import sys

from listening import announce, bound

import flagstaff
from flagstaff import Settings


def page(flags):
    """What the package says, with what it says of the same request without being handed it."""
    told = {"source": flags.source.value, "visitor": flags.visitor, "flags": dict(flags)}
    return told | {"form": flags.form, "current": dict(flagstaff.current())}


def settings():
    return Settings.of(keys=os.environ["KEY"], defaults={"by_default": "on"})


def django_app():
    import django
    from django.conf import settings as django_settings
    from django.core.wsgi import get_wsgi_application
    from django.http import JsonResponse
    from django.urls import re_path

    urls = [re_path(".*", lambda request: JsonResponse(page(request.flags)))]
    django_settings.configure(
        SECRET_KEY="only for tests and long enough to be one",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=tuple(urls),
        INSTALLED_APPS=["flagstaff.django"],
        MIDDLEWARE=["flagstaff.django.middleware.FlagsMiddleware"],
        FLAGSTAFF={"KEYS": os.environ["KEY"]},
    )
    django.setup()
    return get_wsgi_application()


def flask_app():
    from flask import Flask, g

    from flagstaff.flask import FlagsExtension

    app = Flask("shop")
    FlagsExtension(app, settings())
    app.add_url_rule("/<path:_>", view_func=lambda _: page(g.flags), endpoint="page")
    return app


def fastapi_app():
    from fastapi import FastAPI

    from flagstaff.fastapi import FlagsMiddleware, RequestFlags

    app = FastAPI()
    app.add_middleware(FlagsMiddleware, settings=settings())

    @app.get("/{path:path}")
    async def show(flags: RequestFlags):
        await asyncio.sleep(0)
        return page(flags)

    return app


def wsgi_app():
    from flagstaff.wsgi import KEY, FlagsMiddleware

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "application/json")])
        yield json.dumps(page(environ[KEY])).encode()

    return FlagsMiddleware(app, settings())


def serve(name):
    sock, root = bound(), os.environ.get("ROOT", "")
    announce(sock)
    if name == "fastapi":
        import uvicorn

        config = uvicorn.Config(fastapi_app(), log_level="warning", lifespan="off", root_path=root)
        uvicorn.Server(config).run(sockets=[sock])
    else:
        import waitress

        made = {"django": django_app, "flask": flask_app, "wsgi": wsgi_app}[name]()
        waitress.serve(made, sockets=[sock], threads=4, url_prefix=root, _quiet=True)


if __name__ == "__main__":
    sys.exit(serve(os.environ["APP"]))
