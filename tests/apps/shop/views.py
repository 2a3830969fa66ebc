from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from waffle import flag_is_active


def contact(request):
    if request.method == "POST":
        which = "short" if flag_is_active(request, "contact_form") else "long"
        return HttpResponse(f"the {which} form was sent")
    return render(request, "contact.html")


def enter(request, name):
    user, _ = User.objects.get_or_create(username=name, defaults={"is_superuser": name == "ada"})
    login(request, user)
    return HttpResponse(f"hello {name}")
