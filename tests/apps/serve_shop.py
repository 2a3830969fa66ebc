"""The Django project behind waitress, with its database made and its flags loaded."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

import django
import waitress
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from listening import announce, bound

django.setup()
call_command("migrate", verbosity=0)
call_command("loaddata", "flags", verbosity=0)
sock = bound()
announce(sock)
waitress.serve(get_wsgi_application(), sockets=[sock], threads=4, _quiet=True)
