"""The lines of a project that change on the way from django-waffle. tests/e2e runs a whole project."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from flagstaff.from_waffle import changed, main, names_of


def told(text):
    """The text as it should be, and which of its lines need somebody's eyes."""
    new, shown = changed(text.encode())
    return new.decode(), [line for line, is_left in shown.items() if is_left]


class Lines(unittest.TestCase):
    def test_what_changes(self):
        for before, after in {
            "import waffle": "import flagstaff.django as waffle",
            "import os, waffle": "import os, flagstaff.django as waffle",
            "import waffle as w": "import flagstaff.django as w",
            "if x:\n    import waffle  # later": "if x:\n    import flagstaff.django as waffle  # later",
            "from waffle import flag_is_active, \\\n  switch_is_active": (
                "from flagstaff.django import flag_is_active, \\\n  switch_is_active"
            ),
            "from waffle import (\n    flag_is_active,\n)": "from flagstaff.django import (\n    flag_is_active,\n)",
            "from waffle import decorators": "from flagstaff.django import decorators",
            "from waffle.testutils import override_flag": "from flagstaff.django.testutils import override_flag",
            '["waffle.middleware.WaffleMiddleware"]': '["flagstaff.django.middleware.WaffleMiddleware"]',
            'path("", include("waffle.urls"))': 'path("", include("flagstaff.django.urls"))',
        }.items():
            self.assertEqual(told(before), (after, []))
            self.assertEqual(told(after), (after, []))

    def test_what_stays(self):
        for text in (
            "import waffles",
            "import waffle_extra",
            "from waffles import x",
            "from .waffle import Flag",
            'breakfast = "waffles"',
            'f"waffle{1}"',
            'TAGS = "{% load waffle_tags %}"',
            "import flagstaff.django as waffle\nif waffle.flag_is_active(request, 'x'): pass",
            "for waffle in waffles: eat(waffle.topping)",
        ):
            self.assertEqual(told(text), (text, []))

    def test_installed_apps(self):
        for text in (
            "INSTALLED_APPS = [\n    'ä', 'waffle',\n]",
            'INSTALLED_APPS: list[str] = ["waffle"]',
            'INSTALLED_APPS = ("a", u"waffle")',
            'INSTALLED_APPS += ["waffle"]',
            'INSTALLED_APPS = [*OTHERS] + (["waffle"] if DEBUG else [])',
            'INSTALLED_APPS.append("waffle")',
            'INSTALLED_APPS.insert(0, "waffle")',
            'INSTALLED_APPS.extend(["waffle", "b"])',
            'settings.configure(INSTALLED_APPS=["waffle"])',
            '{"INSTALLED_APPS": ["waffle"]}',
            'settings.INSTALLED_APPS += ["waffle"]',
            'OURS = ["waffle"]\nTHEIRS = OURS\nINSTALLED_APPS = THEIRS + ["a"]',
        ):
            self.assertEqual(told(text), (text.replace("waffle", "flagstaff.django"), []))

    def test_a_word_elsewhere_is_shown_and_stays(self):
        for text in (
            'MENU = ["pancake", "waffle"]',
            'filter(kind="waffle")',
            'logging.getLogger("waffle")',
            'apps.get_model("waffle", "Flag")',
            'dependencies = [("waffle", "0004_update_everyone_nullbooleanfield")]',
            'FLAG_MODEL = "waffle.Flag"',
            'INSTALLED_APPS = ["waf" "fle"]',
            'INSTALLED_APPS = list(apps)\nfilter(apps=["waffle"])',
            'if "waffle" in INSTALLED_APPS: pass',
            'INSTALLED_APPS = env.list("APPS")\nenv = Env(names=["waffle"])',
            "from waffle.models import Flag",
            "from waffle import models",
            "from waffle import *",
            "from waffle import flag_is_active, get_waffle_flag_model",
            "from waffle.decorators import waffle_flag, get_response_to_redirect",
            "import waffle.testutils",
            "x = get_waffle_flag_model()",
            "from waffle import flag_is_active =",
        ):
            new, left = told(text)
            self.assertEqual((new, left), (text, [text.count("\n") + 1]))

    def test_what_is_left_on_a_line_that_changes(self):
        for text, after in {
            "import waffle; waffle.get_waffle_flag_model()": "import flagstaff.django as waffle; waffle.get_waffle_flag_model()",
            "import waffle as w; w.testutils.override_flag": "import flagstaff.django as w; w.testutils.override_flag",
            'INSTALLED_APPS = ["waffle"]; MENU = ["waffle"]': 'INSTALLED_APPS = ["flagstaff.django"]; MENU = ["waffle"]',
        }.items():
            self.assertEqual(told(text), (after, [1]))

    def test_a_byte_order_mark_stays(self):
        new, shown = changed(b"\xef\xbb\xbfimport waffle\nfrom waffle import models\n")
        self.assertEqual(new, b"\xef\xbb\xbfimport flagstaff.django as waffle\nfrom waffle import models\n")
        self.assertEqual(shown, {1: False, 2: True})

    def test_a_name_of_many_lines_is_shown_where_it_stands(self):
        text = "from waffle import (\n    flag_is_active,\n    get_waffle_flag_model,\n)\n"
        self.assertEqual(told(text), (text, [1, 3]))

    def test_only_names_that_are_here_are_known(self):
        self.assertLessEqual({"flag_is_active", "switch_is_active", "sample_is_active", "decorators"}, names_of(""))
        self.assertIn("flag", names_of("templatetags.waffle_tags"))
        self.assertIsNone(names_of("models"))


class Projects(unittest.TestCase):
    def run_on(self, *arguments):
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([str(argument) for argument in arguments])
        return code, said.getvalue()

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            project, copy = Path(folder) / "shop", Path(folder) / "copy"
            (project / "venv").mkdir(parents=True)
            (project / "venv" / "x.py").write_text("import waffle\n", encoding="utf-8")
            (project / "binary.py").write_bytes(b"import waffle \xff\n")
            written = b"# \xc3\xa4\r\nfrom waffle import flag_is_active\nfrom waffle.models import Flag\n"
            (project / "views.py").write_bytes(written)
            code, said = self.run_on(project, copy)
            self.assertEqual(code, 0)
            self.assertEqual(
                said,
                "binary.py:1: ? import waffle \ufffd\n"
                "views.py:2: from flagstaff.django import flag_is_active\n"
                "views.py:3: ? from waffle.models import Flag\n",
            )
            self.assertEqual((project / "views.py").read_bytes(), written)
            self.assertEqual(
                (copy / "views.py").read_bytes(), written.replace(b"from waffle import", b"from flagstaff.django import")
            )
            self.assertEqual(self.run_on(copy)[1].count(" ? "), 2)

    def test_mistakes(self):
        for arguments in ((), ("nowhere",), ("a", "b", "c")):
            code, said = self.run_on(*arguments)
            self.assertEqual(code, 2)
            self.assertIn("python -m flagstaff.from_waffle PROJECT", said)


if __name__ == "__main__":
    unittest.main()
