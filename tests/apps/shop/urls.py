from django.urls import path

from shop.views import contact, enter

urlpatterns = [path("contact", contact), path("enter/<name>", enter)]
