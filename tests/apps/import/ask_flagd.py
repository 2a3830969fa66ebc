"""What flagd's own core for Python gives: ask_flagd.py EXPORT PEOPLE. Version 1.0 hashes texts, as flagd does; 2.0 hashes CBOR."""

import json
import sys

import yaml
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

people = json.load(open(sys.argv[2]))
core = FlagdCore()
core.set_flags(json.dumps(yaml.safe_load(open(sys.argv[1]))))
defaults = {"new-welcome-banner": False, "headerColor": "", "by-plan": 0, "off-first": False, "everybody": False}
ask = {
    bool: core.resolve_boolean_value,
    str: core.resolve_string_value,
    int: core.resolve_integer_value,
}


def given(name, default, person):
    context = EvaluationContext(person["id"], {key: value for key, value in person.items() if key != "id"})
    return ask[type(default)](name, default, context).value


print(json.dumps([{name: given(name, default, person) for name, default in defaults.items()} for person in people]))
