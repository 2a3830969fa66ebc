from django.urls import path

from shop.views import contact

urlpatterns = [path("contact", contact)]
