"""Flask."""

import unittest

from flask import Flask, Response, g, render_template_string, stream_with_context

import flagstaff
from flagstaff import Settings, override
from flagstaff.flask import FlagsExtension


def shop(settings=None):
    app = Flask("shop")
    FlagsExtension(app, settings)

    @app.get("/")
    def page():
        return f"{g.flags.form} {flagstaff.current().form}"

    @app.get("/template")
    def template():
        return render_template_string("{% if flags.form %}short{% else %}long{% endif %} {{ flags['prices'] }}")

    @app.get("/stream")
    def stream():
        def parts():
            yield str(flagstaff.current().form)
            yield str(g.flags.form)

        return Response(stream_with_context(parts()))

    return app


class InFlask(unittest.TestCase):
    def text(self, path, app=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return (app or shop()).test_client().get(path, headers=names).text

    def test_views_templates_and_streams(self):
        on = {"X_Visitor_Id": "v", "X_Flag_Form": "on", "X_Flags": "form=on, prices=simple"}
        self.assertEqual(self.text("/", **on), "on on")
        self.assertEqual(self.text("/"), "off off")
        self.assertEqual(self.text("/template", **on), "short simple")
        self.assertEqual(self.text("/template"), "long off")
        self.assertEqual(self.text("/stream", **on), "onon")

    def test_settings_of_the_app(self):
        app = shop(Settings.of(defaults={"form": True}))
        self.assertEqual(self.text("/", app), "on on")
        self.assertEqual(self.text("/", app, X_Visitor_Id="v"), "off off")
        signed = shop(Settings.of(keys="a key of at least thirty-two bytes for tests"))
        self.assertEqual(self.text("/", signed, X_Visitor_Id="v", X_Flag_Form="on"), "off off")

    def test_overrides_and_contexts_without_a_request(self):
        with override(form=True):
            self.assertEqual(self.text("/", X_Visitor_Id="v"), "on on")
        app = shop()
        with app.app_context():
            self.assertEqual(render_template_string("{{ flags.form }}"), "off")
        with app.test_request_context(headers={"X-Flag-Form": "on"}):
            app.preprocess_request()
            self.assertTrue(g.flags.form)


if __name__ == "__main__":
    unittest.main()
