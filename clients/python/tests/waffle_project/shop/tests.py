"""The shop's own tests. They know django-waffle, and nothing of Flagstaff."""

from django.contrib.auth.models import AnonymousUser, User
from django.template import TemplateSyntaxError, engines
from django.test import RequestFactory, TestCase
from shop import views
from waffle import flag_is_active, sample_is_active, switch_is_active
from waffle.testutils import override_flag, override_sample, override_switch


class Pages(TestCase):
    def text(self, path, status=200, **extra):
        answer = self.client.get(path, **extra)
        self.assertEqual(answer.status_code, status, path)
        return answer.content.decode()

    def test_a_flag_that_nobody_made_is_off(self):
        page = self.text("/contact")
        for words in ("the long form", "prices", "pay later", "not traced"):
            self.assertIn(words, page)
        self.assertNotIn("bare", page)
        self.assertNotIn("simple prices", page)
        self.assertEqual(self.text("/status"), "traced=False paid=False cart=False")

    @override_flag("contact_form", active=True)
    def test_a_template_shows_what_is_on(self):
        page = self.text("/contact")
        self.assertIn("the short form", page)
        self.assertIn("bare", page)
        self.assertNotIn("the long form", page)
        self.assertNotIn("simple prices", page)

    @override_flag("contact_form", active=True)
    @override_flag("pricing.Simple", active=True)
    def test_a_name_in_a_variable_and_tags_in_tags(self):
        self.assertIn("simple prices in the short form", self.text("/contact"))

    def test_a_view_asks(self):
        self.assertEqual(self.client.post("/contact").content, b"the long form was sent")
        with override_flag("contact_form", active=True):
            self.assertEqual(self.client.post("/contact").content, b"the short form was sent")
        self.assertEqual(self.client.post("/contact").content, b"the long form was sent")

    def test_views_are_there_or_not(self):
        self.text("/cart", 404)
        self.assertEqual(self.text("/cart/old"), "the old cart")
        with override_flag("new_cart", active=True):
            self.assertEqual(self.text("/cart"), "the new cart")
            self.text("/cart/old", 404)

    def test_a_redirect_takes_the_arguments(self):
        answer = self.client.get("/order/7")
        self.assertEqual((answer.status_code, answer["Location"]), (302, "/order/7/old"))
        self.text("/order", 404)
        with override_flag("new_order", active=True):
            self.assertEqual(self.text("/order/7"), "the new order 7")
            self.assertEqual(self.text("/order"), "the new order")

    def test_switches(self):
        self.text("/pay", 404)
        self.assertEqual(self.text("/closed"), "closed")
        with override_switch("payments", active=True):
            self.assertEqual(self.text("/pay"), "paid")
            self.assertEqual(self.client.get("/closed")["Location"], "/pay")
            self.assertIn("pay here", self.text("/contact"))
            self.assertEqual(views.send_newsletter(), "without prices")
        with override_switch("prices_in_mail", active=True):
            self.assertEqual(views.send_newsletter(), "with prices")

    def test_mixins(self):
        self.text("/account", 404)
        self.assertEqual(self.text("/account/old"), "the old account")
        with override_flag("new_account", active=True):
            self.assertIn("the new account of /account", self.text("/account"))
            self.assertEqual(self.text("/account/old", 410), "gone")

    def test_two_mixins_ask_for_both(self):
        self.text("/beta", 404)
        with override_flag("beta", active=True):
            self.text("/beta", 404)
            with override_switch("beta_open", active=True):
                self.assertEqual(self.text("/beta"), "beta")
        with override_switch("beta_open", active=True):
            self.text("/beta", 404)

    def test_samples(self):
        self.text("/trace", 404)
        with override_sample("tracing", active=True):
            self.assertEqual(self.text("/trace"), "traced")
            self.assertIn("traced=True", self.text("/status"))
        with override_sample("tracing", active=50.0):
            drawn = {sample_is_active("tracing") for _ in range(200)}
        self.assertEqual(drawn, {True, False})

    def test_jinja(self):
        self.assertEqual(self.text("/jinja"), "long closed False")
        with override_flag("contact_form", active=True), override_switch("payments", active=True):
            self.assertEqual(self.text("/jinja"), "short open False")

    def test_a_tag_needs_a_name(self):
        for text in ("{% flag %}{% endflag %}", "{% switch %}{% endswitch %}", "{% sample %}{% endsample %}"):
            with self.assertRaises(TemplateSyntaxError):
                engines["django"].from_string("{% load waffle_tags %}" + text)

    @override_flag("contact_form", active=True)
    def test_what_scripts_ask(self):
        script = self.client.get("/wafflejs")
        self.assertIn("javascript", script["Content-Type"])
        self.assertIn("flag_is_active", script.content.decode())
        status = self.client.get("/waffle_status").json()
        self.assertEqual(set(status), {"flags", "switches", "samples"})


@override_flag("contact_form", active=True)
class AllWithTheForm(TestCase):
    def test_one(self):
        self.assertEqual(self.client.post("/contact").content, b"the short form was sent")

    @override_flag("contact_form", active=False)
    def test_the_inner_one_wins(self):
        self.assertEqual(self.client.post("/contact").content, b"the long form was sent")

    def test_another(self):
        self.assertIn("the short form", self.client.get("/contact").content.decode())


class WithoutTheClient(TestCase):
    def request(self, user=None):
        request = RequestFactory().get("/contact")
        request.user = user or AnonymousUser()
        return request

    def test_a_request_that_passed_no_middleware(self):
        self.assertFalse(flag_is_active(self.request(), "contact_form"))
        user = User.objects.create_user("ada")
        with override_flag("contact_form", active=True):
            self.assertTrue(flag_is_active(self.request(user), "contact_form"))
            self.assertEqual(views.contact(self.request()).status_code, 200)

    def test_switches_and_samples_need_no_request(self):
        self.assertFalse(switch_is_active("payments"))
        self.assertFalse(sample_is_active("tracing"))
        with override_switch("payments", active=True), override_sample("tracing", active=True):
            self.assertTrue(switch_is_active("payments"))
            self.assertTrue(sample_is_active("tracing"))
        self.assertFalse(switch_is_active("payments"))

    def test_a_failing_block_leaves_nothing_behind(self):
        with self.assertRaises(ZeroDivisionError), override_switch("payments", active=True):
            raise ZeroDivisionError
        self.assertFalse(switch_is_active("payments"))
