from django.http import HttpResponse
from django.shortcuts import render
from waffle import flag_is_active


def contact(request):
    if request.method == "POST":
        which = "short" if flag_is_active(request, "contact_form") else "long"
        return HttpResponse(f"the {which} form was sent")
    return render(request, "contact.html")
