"""What the real django-waffle decides: makes flags, switches and samples of every kind, with people of every kind, and asks for each what is
not left to chance. Prints it as JSON; the rows are in the database of SHOP_DATABASE, and dumped into the file that is named."""

import json
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

import django
from django.core.management import call_command

django.setup()

from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import RequestFactory
from django.utils.translation import get_language_from_request
from waffle import flag_is_active, sample_is_active, switch_is_active
from waffle.models import Flag, Sample, Switch

LANGUAGES = ["de", "de-AT,de;q=0.8", "en", "fr;q=0.5,it", ""]
COOKIES = ["True", "False"]


def people():
    beta, gamma = Group.objects.create(name="beta"), Group.objects.create(name="gamma the 3rd")
    yield AnonymousUser()
    yield User.objects.create_superuser("ada")
    yield User.objects.create_user("bob", is_staff=True)
    carl = User.objects.create_user("carl")
    carl.groups.add(beta)
    yield carl
    dora = User.objects.create_user("dora")
    dora.groups.add(beta, gamma)
    yield dora
    yield User.objects.create_user("erin")


def make_flags():
    nobody = {"superusers": False}
    Flag.objects.create(name="everyone_yes", everyone=True, percent=10)
    Flag.objects.create(name="everyone_no", everyone=False, percent=50, staff=True, languages="de")
    Flag.objects.create(name="as_made")
    Flag.objects.create(name="staff_only", staff=True, **nobody)
    Flag.objects.create(name="authenticated", authenticated=True, **nobody)
    Flag.objects.create(name="languages", languages="de, fr", **nobody)
    Flag.objects.create(name="nobody", **nobody)
    Flag.objects.create(name="percent_zero", percent=0, **nobody)
    Flag.objects.create(name="half", percent=50, **nobody)
    Flag.objects.create(name="half_and_staff", percent="0.1", staff=True, rollout=True, **nobody)
    Flag.objects.create(name="most_and_language", percent="99.9", languages="it", **nobody)
    Flag.objects.create(name="my.Flag-2", percent=25, note='for "those"\nwho [want] it', **nobody)
    Flag.objects.create(name="my_flag_2", superusers=True)
    Flag.objects.create(name="tested", testing=True, **nobody)
    group = Flag.objects.create(name="one_group", **nobody)
    group.groups.add(Group.objects.get(name="beta"))
    both = Flag.objects.create(name="Users And Group", **nobody)
    both.groups.add(Group.objects.get(name="gamma the 3rd"))
    both.users.add(User.objects.get(username="erin"), User.objects.get(username="ada"))
    Switch.objects.create(name="switched_on", active=True)
    Switch.objects.create(name="switched.off", active=False)
    Sample.objects.create(name="always", percent=100)
    Sample.objects.create(name="never", percent=0)


def ask(person, language, cookie):
    request = RequestFactory(HTTP_ACCEPT_LANGUAGE=language).get("/")
    request.user = person
    request.LANGUAGE_CODE = get_language_from_request(request)
    # with a cookie nothing is left to chance
    request.COOKIES = {f"dwf_{flag.name}": cookie for flag in Flag.objects.all()}
    known = person.is_authenticated
    roles = [role for role, has in (("superuser", person.is_superuser), ("staff", person.is_staff)) if has]
    return {
        "user": str(person.pk) if known else None,
        "groups": list(person.groups.values_list("name", flat=True)) if known else [],
        "roles": roles,
        "language": language,
        "cookie": cookie,
        "decided": {flag.name: bool(flag_is_active(request, flag.name)) for flag in Flag.objects.all()},
    }


call_command("migrate", verbosity=0)
everybody = list(people())
make_flags()
call_command("dumpdata", "waffle", "auth.group", indent=1, output=sys.argv[1], verbosity=0)
print(
    json.dumps(
        {
            "asked": [ask(person, language, cookie) for person in everybody for language in LANGUAGES for cookie in COOKIES],
            "switches": {one.name: switch_is_active(one.name) for one in Switch.objects.all()},
            "samples": {one.name: sample_is_active(one.name) for one in Sample.objects.all()},
        }
    )
)
