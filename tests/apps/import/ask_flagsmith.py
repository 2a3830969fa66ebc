"""What Flagsmith's own SDK gives: ask_flagsmith.py EXPORT PEOPLE"""

import json
import sys

from flagsmith import Flagsmith
from flagsmith.offline_handlers import LocalFileHandler

people = json.load(open(sys.argv[2]))
client = Flagsmith(offline_mode=True, offline_handler=LocalFileHandler(sys.argv[1]))


def given(flag):
    if not flag.enabled:
        return False
    return True if flag.value is None else flag.value


def asked(person):
    flags = client.get_identity_flags(person["id"], {key: value for key, value in person.items() if key != "id"})
    return {flag.feature_name: given(flag) for flag in flags.all_flags()}


print(json.dumps([asked(person) for person in people]))
