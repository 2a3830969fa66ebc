"""What Unleash's own SDK gives: ask_unleash.py EXPORT PEOPLE"""

import json
import sys
import tempfile

from UnleashClient import UnleashClient
from UnleashClient.cache import FileCache

export = json.load(open(sys.argv[1]))
people = json.load(open(sys.argv[2]))
cache = FileCache("flagstaff-tests", tempfile.mkdtemp())
cache.bootstrap_from_dict(export)
client = UnleashClient("http://127.0.0.1:1/api", "tests", disable_metrics=True, disable_registration=True, cache=cache)
client.initialize_client(fetch_toggles=False)


def given(name, person):
    properties = {key: str(value) for key, value in person.items() if key != "id"}
    context = {"userId": person["id"], "properties": properties}
    if not client.is_enabled(name, context):
        return False
    variant = client.get_variant(name, context)
    if variant["name"] == "disabled":
        return True
    payload = variant["payload"]
    return json.loads(payload["value"]) if payload["type"] == "number" else payload["value"]


names = [feature["name"] for feature in export["features"]]
print(json.dumps([{name: given(name, person) for name in names} for person in people]))
client.destroy()
