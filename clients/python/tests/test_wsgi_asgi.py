"""Plain WSGI and ASGI."""

import asyncio
import hashlib
import hmac
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from wsgiref.util import FileWrapper, setup_testing_defaults

import flagstaff
from flagstaff import Settings
from flagstaff.asgi import FlagsMiddleware as ForASGI
from flagstaff.asgi import flags_of_scope
from flagstaff.current import current_or_none
from flagstaff.wsgi import KEY
from flagstaff.wsgi import FlagsMiddleware as ForWSGI

SECRET = "a key of at least thirty-two bytes for tests"


def variants(of=None):
    flags = of or flagstaff.current()
    return f"form={flags.form} prices={flags.variant('prices', 'classic')}".encode()


def signature(path):
    t = int(time.time())
    v1 = hmac.new(SECRET.encode(), f"{t}\nv\nform=on\nGET\n{path}".encode(), hashlib.sha256).hexdigest()
    return f"t={t}, v1={v1}"


def ask(app, **environ):
    setup_testing_defaults(environ)
    answer = app(environ, lambda status, headers: None)
    try:
        return b"".join(answer)
    finally:
        getattr(answer, "close", lambda: None)()


class WSGI(unittest.TestCase):
    def test_an_app_that_answers_at_once(self):
        app = ForWSGI(lambda environ, start: [variants(), b" ", variants(environ[KEY])])
        headers = {"HTTP_X_VISITOR_ID": "v", "HTTP_X_FLAG_FORM": "on", "HTTP_X_FLAGS": "form=on, prices=simple"}
        self.assertEqual(ask(app, **headers), b"form=on prices=simple form=on prices=simple")
        self.assertEqual(ask(app), b"form=off prices=classic form=off prices=classic")
        self.assertIsNone(current_or_none())

    def test_answers_that_are_made_bit_by_bit_do_not_mix(self):
        closed = []

        def stream(environ, start):
            try:
                for _ in range(3):
                    yield variants()
            finally:
                closed.append(variants())

        def begin(**headers):
            environ = dict(headers)
            setup_testing_defaults(environ)
            return ForWSGI(stream)(environ, lambda *_: None)

        on, off = begin(HTTP_X_FLAG_FORM="on"), begin(HTTP_X_FLAG_FORM="off")
        for a, b in zip(on, off, strict=True):
            self.assertEqual((a, b), (b"form=on prices=classic", b"form=off prices=classic"))
            self.assertIsNone(current_or_none())
        again = begin(HTTP_X_FLAG_FORM="on")
        next(iter(again))
        again.close()
        self.assertEqual(closed[-1], b"form=on prices=classic")

    def test_threads_of_the_app_need_the_context(self):
        with ThreadPoolExecutor() as pool:

            def app(environ, start):
                return [pool.submit(variants).result(), b" ", pool.submit(copy_context().run, variants).result()]

            answer = ask(ForWSGI(app), HTTP_X_FLAG_FORM="on")
        self.assertEqual(answer, b"form=off prices=classic form=on prices=classic")

    def test_files_are_left_to_the_server(self):
        with open(__file__, "rb") as file:
            wrapped = FileWrapper(file)
            app = ForWSGI(lambda environ, start: wrapped)
            environ = {"wsgi.file_wrapper": FileWrapper}
            setup_testing_defaults(environ)
            self.assertIs(app(environ, lambda *_: None), wrapped)

    def test_paths_are_verified_as_they_were_written(self):
        app = ForWSGI(lambda environ, start: [variants()], Settings.of(keys=SECRET))

        def signed(path):
            return {"HTTP_X_VISITOR_ID": "v", "HTTP_X_FLAGS": "form=on", "HTTP_X_FLAGS_SIGNATURE": signature(path)}

        def latin(text):
            return text.encode().decode("latin-1")

        yes = b"form=on prices=classic"
        self.assertEqual(ask(app, PATH_INFO=latin("/ä b"), **signed("/%C3%A4%20b")), yes)
        self.assertEqual(ask(app, SCRIPT_NAME="/shop", PATH_INFO="/x", **signed("/shop/x")), yes)
        # waitress says the root also where nobody asked for it
        self.assertEqual(ask(app, SCRIPT_NAME=latin("/ä"), PATH_INFO="/x", **signed("/x")), yes)
        self.assertEqual(ask(app, PATH_INFO="/a/b", REQUEST_URI="/a%2fb?c", **signed("/a%2fb")), yes)
        self.assertEqual(ask(app, PATH_INFO="/a/b", RAW_URI="http://shop/a%2fb", **signed("/a%2fb")), yes)
        self.assertEqual(ask(app, PATH_INFO="/other", **signed("/x")), b"form=off prices=classic")


class ASGI(unittest.IsolatedAsyncioTestCase):
    async def ask(self, headers, kind="http", **scope):
        sent = []

        async def app(scope, receive, send):
            await asyncio.sleep(0)
            await send(variants())
            await asyncio.create_task(self.later(send))
            await asyncio.to_thread(lambda: sent.append(variants()))

        async def send(message):
            sent.append(message)

        scope = {"type": kind, "path": "/", "raw_path": b"/", "headers": headers, **scope}
        await ForASGI(app)(scope, None, send)
        return sent

    async def later(self, send):
        await asyncio.sleep(0.001)
        await send(variants())

    async def test_requests_at_the_same_time_do_not_mix(self):
        headers = [[(b"x-flag-form", b"on")], [(b"X-Flags", b"prices=simple")], []]
        answers = await asyncio.gather(*(self.ask(headers[n % 3]) for n in range(60)))
        wanted = [b"form=on prices=classic", b"form=off prices=simple", b"form=off prices=classic"]
        for n, answer in enumerate(answers):
            self.assertEqual(answer, [wanted[n % 3]] * 3)
        self.assertIsNone(current_or_none())

    async def test_paths_are_verified_as_they_were_asked_for(self):
        for path, scope in (
            ("/a%2Fb", {"path": "/a/b", "raw_path": b"/a%2Fb"}),
            ("/a%2Fb", {"path": "/api/a/b", "raw_path": b"/api/a%2Fb", "root_path": "/api"}),
            ("/api/a", {"path": "/api/a", "raw_path": b"/api/a", "root_path": "/api"}),
            ("/part/a", {"path": "/api/part/a", "raw_path": None, "root_path": "/api/part", "app_root_path": "/api"}),
        ):
            signed = [(b"x-visitor-id", b"v"), (b"x-flags", b"form=on"), (b"x-flags-signature", signature(path).encode())]
            scope = {"type": "http", "headers": signed, **scope}
            self.assertTrue(flags_of_scope(scope, Settings.of(keys=SECRET)).form, scope)
        other = {"type": "http", "headers": signed, "path": "/other", "root_path": "/api"}
        self.assertFalse(flags_of_scope(other, Settings.of(keys=SECRET)).form)

    async def test_a_websocket(self):
        self.assertEqual((await self.ask([(b"x-flag-form", b"on")], "websocket"))[0], b"form=on prices=classic")

    async def test_what_is_no_request_passes(self):
        seen = []

        async def app(scope, receive, send):
            seen.append(scope)

        await ForASGI(app)({"type": "lifespan"}, None, None)
        self.assertEqual(seen, [{"type": "lifespan"}])


if __name__ == "__main__":
    unittest.main()
