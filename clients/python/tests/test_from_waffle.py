"""The lines of a project that change on the way from django-waffle. tests/e2e runs a whole project."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from flagstaff.from_waffle import changed, main


class Lines(unittest.TestCase):
    def test_what_changes(self):
        for before, after in {
            "import waffle": "import flagstaff.django as waffle",
            "    import waffle  # later": "    import flagstaff.django as waffle  # later",
            "from waffle import flag_is_active, (": "from flagstaff.django import flag_is_active, (",
            "from waffle.testutils import override_flag": "from flagstaff.django.testutils import override_flag",
            '    "waffle",': '    "flagstaff.django",',
            "INSTALLED_APPS += ['waffle']": "INSTALLED_APPS += ['flagstaff.django']",
            '"waffle.middleware.WaffleMiddleware",': '"flagstaff.django.middleware.WaffleMiddleware",',
            'path("", include("waffle.urls")),': 'path("", include("flagstaff.django.urls")),',
        }.items():
            self.assertEqual(changed(before), after)
            self.assertEqual(changed(after), after)

    def test_what_stays(self):
        for line in (
            "import waffles",
            "import waffle_extra",
            "from waffles import x",
            "from waffle.models import Flag",
            'breakfast = "waffles"',
            "{% load waffle_tags %}",
            "    if waffle.flag_is_active(request, 'x'):",
            '        ("waffle", "0004_update_everyone_nullbooleanfield"),',
        ):
            self.assertEqual(changed(line), line)


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
                "views.py:2: from flagstaff.django import flag_is_active\nviews.py:3: ? from waffle.models import Flag\n",
            )
            self.assertEqual((project / "views.py").read_bytes(), written)
            self.assertEqual(
                (copy / "views.py").read_bytes(), written.replace(b"from waffle import", b"from flagstaff.django import")
            )
            self.assertEqual(self.run_on(copy)[1].count(" ? "), 1)

    def test_mistakes(self):
        for arguments in ((), ("nowhere",), ("a", "b", "c")):
            code, said = self.run_on(*arguments)
            self.assertEqual(code, 2)
            self.assertIn("python -m flagstaff.from_waffle PROJECT", said)


if __name__ == "__main__":
    unittest.main()
