"""What LaunchDarkly's own SDK gives, from its file: ask_launchdarkly.py EXPORT PEOPLE"""

import json
import sys

from ldclient import Config, Context, LDClient
from ldclient.integrations import Files

export = json.load(open(sys.argv[1]))
people = json.load(open(sys.argv[2]))
source = Files.new_data_source(paths=[sys.argv[1]])
client = LDClient(Config("tests", update_processor_class=source, send_events=False), start_wait=20)
names = [*export["flags"], *export["flagValues"]]


def given(person):
    builder = Context.builder(person["id"])
    for name, value in person.items():
        if name != "id":
            builder.set(name, value)
    context = builder.build()
    return {name: client.variation(name, context, None) for name in names}


print(json.dumps([given(person) for person in people]))
client.close()
