"""Django: answers that are made bit by bit, after the middleware has ended."""

import asyncio
import unittest
from pathlib import Path

# It sets Django up.
import test_django
from django.http import FileResponse, StreamingHttpResponse
from django.test import AsyncRequestFactory, RequestFactory

import flagstaff
from flagstaff.django.middleware import FlagsMiddleware

HEADERS = [test_django.ON, test_django.OFF]
WANTED = [["on headers"] * 3, ["off headers"] * 3]
OUTSIDE = "off defaults"


def said():
    return f"{flagstaff.current().form} {flagstaff.current().source.value}"


def answer(view, headers):
    return FlagsMiddleware(view)(RequestFactory().get("/", headers=headers))


class AtOnce(unittest.TestCase):
    def setUp(self):
        self.closed = []

    def parts(self, request):
        def parts():
            try:
                for _ in range(3):
                    yield said()
            finally:
                self.closed.append(said())

        return StreamingHttpResponse(parts())

    def test_two_do_not_mix(self):
        on, off = (iter(answer(self.parts, headers)) for headers in HEADERS)
        lines = []
        for both in zip(on, off, strict=True):
            self.assertEqual(said(), OUTSIDE)
            lines.append([part.decode() for part in both])
        self.assertEqual([list(line) for line in zip(*lines, strict=True)], WANTED)

    def test_one_that_ends_before_its_time(self):
        begun = answer(self.parts, test_django.ON)
        self.assertEqual(next(iter(begun)), b"on headers")
        begun.close()
        self.assertEqual((self.closed, said()), (["on headers"], OUTSIDE))

    def test_a_part_that_fails(self):
        def fails(request):
            return StreamingHttpResponse(1 / (len(said()) - len("on headers")) for _ in range(1))

        with self.assertRaises(ZeroDivisionError):
            list(answer(fails, test_django.ON))
        self.assertEqual(said(), OUTSIDE)

    def test_files_are_left_to_the_server(self):
        with Path(__file__).open("rb") as file:
            self.assertIs(answer(lambda request: FileResponse(file), test_django.ON).file_to_stream, file)


class Later(unittest.IsolatedAsyncioTestCase):
    async def parts(self, request):
        async def parts():
            for _ in range(3):
                await asyncio.sleep(0)
                yield said()

        return StreamingHttpResponse(parts())

    async def lines(self, view, headers):
        request = AsyncRequestFactory().get("/", headers=headers)
        return [part.decode() async for part in await FlagsMiddleware(view)(request)]

    async def test_two_do_not_mix(self):
        both = await asyncio.gather(*(self.lines(self.parts, headers) for headers in HEADERS))
        self.assertEqual((both, said()), (WANTED, OUTSIDE))

    async def test_parts_that_are_made_at_once(self):
        async def view(request):
            return StreamingHttpResponse(said() for _ in range(3))

        with self.assertWarns(Warning):
            self.assertEqual(await self.lines(view, test_django.ON), WANTED[0])


if __name__ == "__main__":
    unittest.main()
