"""Django: what goes beyond django-waffle, and how it is set up. The project in waffle_project tests the rest."""

import hashlib
import hmac
import json
import tempfile
import time
import unittest
import unittest.mock
from pathlib import Path
from types import SimpleNamespace

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="only for tests and long enough to be one",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "rest_framework",
        "flagstaff.django",
    ],
    MIDDLEWARE=["flagstaff.django.middleware.FlagsMiddleware"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    FLAGSTAFF={"NAMES": {"shop.Form-v2": "form"}},
    REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": [], "UNAUTHENTICATED_USER": None},
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"context_processors": ["flagstaff.django.context_processors.flags"]},
        }
    ],
)
django.setup()

from django.contrib import auth  # noqa: E402
from django.contrib.auth.models import AnonymousUser, Group, User  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.handlers.asgi import ASGIRequest  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import RequestFactory, SimpleTestCase, TestCase, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

import flagstaff  # noqa: E402
from flagstaff.django import (  # noqa: E402
    flag_is_active,
    flags_for,
    flags_of,
    identify,
    sample_is_active,
    switch_is_active,
    views,
)
from flagstaff.django.decorators import waffle_flag  # noqa: E402
from flagstaff.django.rest_framework import FlagPermission, flag_permission  # noqa: E402
from flagstaff.django.testutils import override_flag, override_switch  # noqa: E402
from flagstaff.flag_file import file as flag_file  # noqa: E402
from flagstaff.once import forget  # noqa: E402

SECRET = "a key of at least thirty-two bytes for tests"


def signature(path):
    t = int(time.time())
    v1 = hmac.new(SECRET.encode(), f"{t}\nv\nform=on\nGET\n{path}".encode(), hashlib.sha256).hexdigest()
    return f"t={t}, v1={v1}"


def page(request):
    told = [request.flags.form, flagstaff.current().form, request.flags.variant("prices", "classic")]
    return HttpResponse(" ".join(told))


async def async_page(request):
    return page(request)


@waffle_flag("form")
async def async_guarded(request):
    return HttpResponse("there")


def template(request):
    text = "{% load waffle_tags %}{% if flags.form %}short{% endif %} {{ flags.prices }} {% flag 'shop.Form-v2' %}v2{% endflag %}"
    return HttpResponse(engines["django"].from_string(text).render({}, request))


def switch(request):
    return HttpResponse(f"{switch_is_active('form')} {sample_is_active('form')}")


class Guarded(APIView):
    permission_classes = [FlagPermission]
    waffle_flag = "form"

    def get(self, request):
        return Response("there")


class Named(Guarded):
    permission_classes = [flag_permission("!form")]


class Forgotten(Guarded):
    waffle_flag = None


def user(request):
    return HttpResponse(str(request.user))


async def async_user(request):
    return HttpResponse(str(await request.auser()))


def log_in(request, pk):
    auth.login(request, User.objects.get(pk=pk), "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("in")


def log_out(request):
    auth.logout(request)
    return HttpResponse("out")


def itself(request):
    return HttpResponse(str(request.user), headers={"X-Flag-Identify": "seven"})


urlpatterns = [
    path("user", user),
    path("async_user", async_user),
    path("login/<int:pk>", log_in),
    path("logout", log_out),
    path("itself", itself),
    path("", page),
    path("async", async_page),
    path("guarded", async_guarded),
    path("template", template),
    path("switch", switch),
    path("api", Guarded.as_view()),
    path("api/old", Named.as_view()),
    path("api/forgotten", Forgotten.as_view()),
]

ON = {"X-Visitor-Id": "v", "X-Flag-Form": "on", "X-Flag-Prices": "simple"}
OFF = {"X-Visitor-Id": "v"}


class Requests(SimpleTestCase):
    def text(self, path, headers=OFF, status=200):
        answer = self.client.get(path, headers=headers)
        self.assertEqual(answer.status_code, status)
        return answer.content.decode()

    def test_the_middleware(self):
        for address in ("/", "/async"):
            self.assertEqual(self.text(address, ON), "on on simple")
            self.assertEqual(self.text(address), "off off classic")
            with override_flag("form", active=True), override_flag("prices", "annual"):
                self.assertEqual(self.text(address), "on on annual")
        self.assertFalse(flagstaff.current().form)

    async def test_the_middleware_of_async_servers(self):
        for address in ("/", "/async"):
            answer = await self.async_client.get(address, headers=ON)
            self.assertEqual(answer.content, b"on on simple")

    def test_templates(self):
        self.assertEqual(self.text("/template", ON), "short simple v2")
        self.assertEqual(self.text("/template").strip(), "off")

    def test_a_switch_follows_the_request(self):
        self.assertEqual(self.text("/switch", ON), "True True")
        self.assertEqual(self.text("/switch"), "False False")
        with override_switch("form", active=True):
            self.assertEqual(self.text("/switch"), "True False")

    def test_what_scripts_ask(self):
        request = RequestFactory().get("/", headers={**ON, "X-Flag-Form": "off"})
        is_on = {"form": False, "prices": True, "shop.Form-v2": False}
        told = json.loads(views.waffle_json(request).content)["flags"]
        self.assertEqual(told, {name: {"is_active": on, "last_modified": None} for name, on in is_on.items()})
        script = views.wafflejs(request).content.decode()
        self.assertIn(f'"flag": {json.dumps(is_on)}', script)

    def test_async_views_are_guarded(self):
        self.assertEqual(self.text("/guarded", ON), "there")
        self.text("/guarded", OFF, 404)

    def test_rest_framework(self):
        self.assertEqual(self.text("/api", ON), '"there"')
        self.text("/api", OFF, 403)
        self.assertEqual(self.text("/api/old", OFF), '"there"')
        self.text("/api/old", ON, 403)
        with override_flag("form", active=True):
            self.assertEqual(self.text("/api"), '"there"')
        with self.assertRaisesMessage(ImproperlyConfigured, "waffle_flag"):
            self.text("/api/forgotten")

    def test_a_request_that_passed_no_middleware(self):
        request = RequestFactory().get("/", headers=ON)
        self.assertTrue(flag_is_active(request, "form") and flag_is_active(request, "prices"))
        self.assertFalse(flag_is_active(request, "other") or flag_is_active(None, "form"))

    @override_settings(WAFFLE_FLAG_DEFAULT=True)
    def test_a_test_may_force_what_is_on_by_default(self):
        for name in ("form", "Form", "shop.Form-v2"):
            with override_flag(name, active=False):
                self.assertFalse(flag_is_active(RequestFactory().get("/"), "shop.Form-v2"), name)

    @override_settings(WAFFLE_FLAG_DEFAULT=True, WAFFLE_SWITCH_DEFAULT=True)
    def test_defaults_of_waffle_are_for_what_is_not_known(self):
        self.assertTrue(flag_is_active(RequestFactory().get("/"), "form") and switch_is_active("form"))
        self.assertFalse(flag_is_active(RequestFactory().get("/", headers=OFF), "form"))

    def test_a_root_that_nobody_asked_for_is_not_signed(self):
        signed = {"x-visitor-id": "v", "x-flags": "form=on", "x-flags-signature": signature("/a%2Fb")}
        with override_settings(FLAGSTAFF={"KEYS": SECRET}):
            headers = [(name.encode(), value.encode()) for name, value in signed.items()]
            scope = {"type": "http", "method": "GET", "path": "/api/a/b", "raw_path": b"/api/a%2Fb", "root_path": "/api"}
            request = ASGIRequest({**scope, "headers": headers, "query_string": b""}, None)
            self.assertTrue(flags_of(request).form)
            with override_settings(FORCE_SCRIPT_NAME="/shop"):
                self.assertTrue(flags_of(ASGIRequest({**scope, "headers": headers, "query_string": b""}, None)).form)
                signed["x-flags-signature"] = signature("/a")
                self.assertTrue(flags_of(RequestFactory().get("/a", headers=signed)).form)
                self.assertFalse(flags_of(RequestFactory().get("/b", headers=signed)).form)

    def test_mistakes_in_the_settings(self):
        for wrong in ({"KEY": "x"}, {"KEYS": "short"}, {"FLAGS": "nowhere.toml"}, {"DEFAULTS": 3}):
            with self.assertRaises(ImproperlyConfigured), override_settings(FLAGSTAFF=wrong):
                pass


class People(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ada, cls.bob = User.objects.create_user("ada"), User.objects.create_user("bob", is_staff=True)
        cls.ada.groups.add(Group.objects.create(name="beta"))

    def configured(self, text, **more):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / "flags.toml"
        file.write_text(text, encoding="utf-8")
        return override_settings(FLAGSTAFF={"FLAGS": file, **more})

    def test_flags_for_users_of_django(self):
        text = f"""
            [flags.by_id]
            allow = {{ users = ["{self.ada.pk}"] }}
            [flags.by_group]
            allow = {{ groups = ["beta"] }}
            [flags.by_role]
            allow = {{ roles = ["staff"] }}
            [flags.by_login]
            allow = {{ authenticated = true }}
            [flags.drawn]
            percent = 50
        """
        with self.configured(text, DEFAULTS={"drawn": "on"}):
            wanted = {self.ada: "by_id by_group by_login", self.bob: "by_role by_login", AnonymousUser(): ""}
            for user, on in wanted.items():
                flags = flags_for(user)
                self.assertEqual([name for name in flags if flags.is_on(name)], on.split())
                self.assertEqual(list(flags.undecided), ["drawn"])
                self.assertTrue(flags.drawn)

    def test_switches_and_samples_by_the_file(self):
        text = """
            [flags.open]
            [flags.shut]
            enabled = false
            [flags.half]
            percent = 50
            bucket_by = "request"
            waffle_name = "Half.Time"
        """
        with self.configured(text):
            self.assertTrue(switch_is_active("open"))
            self.assertFalse(switch_is_active("shut"))
            self.assertEqual({sample_is_active("Half.Time") for _ in range(100)}, {True, False})

    def test_the_file_is_read_again(self):
        with self.configured("[flags.open]") as _, unittest.mock.patch.object(flag_file, "LOOK_AGAIN", 0.0):
            self.assertTrue(switch_is_active("open"))
            settings.FLAGSTAFF["FLAGS"].write_text("[flags.open]\nenabled = false", encoding="utf-8")
            self.assertFalse(switch_is_active("open"))


@override_settings(
    FLAGSTAFF={"IDENTIFY": True},
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "flagstaff.django.middleware.FlagsMiddleware",
    ],
)
class Identified(TestCase):
    def setUp(self):
        self.user = User.objects.create_user("ada", is_staff=True)
        for name in ("beta", "vip customers", "a, b", "B\u00fccher", 'so "called"'):
            self.user.groups.add(Group.objects.create(name=name))

    def told(self, address):
        return self.client.get(address).get("X-Flag-Identify")

    def test_who_looks_the_user_up_tells_it(self):
        wanted = f'{self.user.pk}; groups="beta, vip customers, so \\"called\\""; roles="staff"'
        for name in ("user", "async_user"):
            self.client.logout()
            self.assertIsNone(self.told(f"/{name}"))
            self.client.force_login(self.user)
            self.assertEqual(sorted(self.told(f"/{name}")), sorted(wanted))
            with self.assertNumQueries(0):
                self.assertIsNone(self.told("/"), "nobody is looked up for this")

    def test_login_and_logout(self):
        self.assertTrue(self.told(f"/login/{self.user.pk}").startswith(f"{self.user.pk}; groups="))
        self.assertEqual(self.told("/logout"), "none")
        self.assertIsNone(self.told("/user"))

    def test_ids_that_a_header_can_say(self):
        for user in ("42", "ada@shop.example", "b8a0c9d2-4c1e-4b5f-8a7e-0f6d1f2e3c4b", "a" * 256):
            self.assertEqual(identify.line(user, [], []), user)
        for user in ("a, b", "a;b", 'so "called"', "none", "None", " a ", "back\\slash"):
            self.assertEqual(identify.line(user, [], ["staff"]), f'{identify.quoted(user)}; roles="staff"')

    def test_ids_that_no_header_can_say_are_nobody(self):
        forget()
        with self.assertLogs("flagstaff", "WARNING") as logged:
            for user in ("\u65e5\u672c", "Ren\u00e9", "a\nb", "", "a" * 257):
                response = HttpResponse()
                request = RequestFactory().get("/")
                request.user = SimpleNamespace(pk=user, is_authenticated=True)
                self.assertEqual(identify.tell(request, response)["X-Flag-Identify"], "none", user)
        self.assertEqual(len(logged.output), 1)

    def test_an_app_that_says_it_itself(self):
        self.client.force_login(self.user)
        self.assertEqual(self.told("/itself"), "seven")


def setUpModule():
    django.test.utils.setup_test_environment()
    call_command("migrate", verbosity=0)


def tearDownModule():
    django.test.utils.teardown_test_environment()


if __name__ == "__main__":
    unittest.main()
