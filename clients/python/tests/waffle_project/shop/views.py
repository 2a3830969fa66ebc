import waffle
from django.http import HttpResponse
from django.shortcuts import render
from django.views.generic import TemplateView, View
from waffle import flag_is_active, sample_is_active, switch_is_active
from waffle.decorators import waffle_flag, waffle_switch
from waffle.mixins import WaffleFlagMixin, WaffleSampleMixin, WaffleSwitchMixin


def contact(request):
    if request.method == "POST":
        which = "short" if flag_is_active(request, "contact_form") else "long"
        return HttpResponse(f"the {which} form was sent")
    return render(request, "contact.html", {"of_the_day": "pricing.Simple"})


@waffle_flag("new_cart")
def cart(request):
    return HttpResponse("the new cart")


@waffle_flag("!new_cart")
def old_cart(request):
    return HttpResponse("the old cart")


@waffle_flag("new_order", redirect_to="old_order")
def order(request, number):
    return HttpResponse(f"the new order {number}")


@waffle_flag("new_order", "nowhere")
def order_to_nowhere(request):
    return HttpResponse("the new order")


def old_order(request, number):
    return HttpResponse(f"the old order {number}")


@waffle_switch("payments")
def pay(request):
    return HttpResponse("paid")


@waffle_switch("!payments", redirect_to="pay")
def closed(request):
    return HttpResponse("closed")


class Account(WaffleFlagMixin, TemplateView):
    waffle_flag = "new_account"
    template_name = "account.html"


class OldAccount(WaffleFlagMixin, View):
    waffle_flag = "!new_account"

    def get(self, request):
        return HttpResponse("the old account")

    def invalid_waffle(self):
        return HttpResponse("gone", status=410)


class Beta(WaffleFlagMixin, WaffleSwitchMixin, View):
    waffle_flag = "beta"
    waffle_switch = "beta_open"

    def get(self, request):
        return HttpResponse("beta")


class Trace(WaffleSampleMixin, View):
    waffle_sample = "tracing"

    def get(self, request):
        return HttpResponse("traced")


def status(request):
    traced = sample_is_active("tracing")
    paid = switch_is_active("payments")
    cart = waffle.flag_is_active(request, "new_cart", read_only=True)
    return HttpResponse(f"traced={traced} paid={paid} cart={cart}")


def jinja(request):
    return render(request, "page.jinja")


def send_newsletter():
    return "with prices" if waffle.switch_is_active("prices_in_mail") else "without prices"
