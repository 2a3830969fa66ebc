from django.urls import include, path
from shop import views

urlpatterns = [
    path("contact", views.contact),
    path("cart", views.cart),
    path("cart/old", views.old_cart),
    path("order/<int:number>", views.order),
    path("order", views.order_to_nowhere),
    path("order/<int:number>/old", views.old_order, name="old_order"),
    path("pay", views.pay, name="pay"),
    path("closed", views.closed),
    path("account", views.Account.as_view()),
    path("account/old", views.OldAccount.as_view()),
    path("beta", views.Beta.as_view()),
    path("trace", views.Trace.as_view()),
    path("status", views.status),
    path("jinja", views.jinja),
    path("", include("waffle.urls")),
]
