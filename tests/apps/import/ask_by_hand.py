"""What Flipper, Flipt and GO Feature Flag give, which have no library for Python: their rules, written out for these exports.

ask_by_hand.py SYSTEM PEOPLE
"""

import json
import sys
import zlib

people = json.load(open(sys.argv[2]))


def crc32(text):
    return zlib.crc32(text.encode())


def fnv1a(text):
    number = 2166136261
    for byte in text.encode():
        number = (number ^ byte) * 16777619 % 2**32
    return number


def flipper(person):
    def below(feature, percent):
        return crc32(feature + "User;" + person["id"]) % 100_000 < percent * 1000

    expression = person["plan"] == "pro" or (person["age"] > 60 and person["country"] != "US")
    return {
        "newCheckout": True,
        "off": False,
        "plain-share": below("plain-share", 33.3),
        "by_expression": expression or below("by_expression", 10),
    }


def flipt(person):
    entity = person["id"]
    german = person["country"] in ("DE", "AT")
    pro = person["plan"] == "pro" and person["email"].endswith("@example.com")
    number = crc32("colour" + entity) % 1000
    if german:
        colour = "red" if number < 500 else "dark blue"
    elif pro or person["age"] >= 50:
        colour = "red" if number < 333 else "dark blue" if number < 666 else "grey"
    else:
        colour = "grey"
    return {
        "plain_share": crc32(entity + "plain_share") % 100 < 30,
        "beta": pro or crc32(entity + "beta") % 100 < 20,
        "colour": colour,
    }


def goff(person):
    key = person["id"]
    staff = "@example.com" in person["email"].lower() and person["plan"] != "free"
    german = person["country"] in ("DE", "AT") or person["age"] >= 60
    number = fnv1a("new_checkout" + key) % 100_000
    colour = fnv1a("colour" + key) % 100_000
    return {
        # Variations lie in the reverse order of their names: enabled, disabled; var_on, var_off; gamma, beta, alpha.
        "plain-share": fnv1a("plain-share" + key) % 100_000 < 30_000,
        "new_checkout": staff or (german and number < 45_500),
        "colour": "grey" if colour < 30_000 else "#00f" if colour < 80_000 else "red",
        "rolled": fnv1a("rolled" + key) % 100_000 < 60_000,
    }


asked = {"flipper": flipper, "flipt": flipt, "goff": goff}[sys.argv[1]]
print(json.dumps([asked(person) for person in people]))
