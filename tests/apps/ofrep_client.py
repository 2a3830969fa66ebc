"""OpenFeature's SDK with its OFREP provider, as an app in Python has them: asks for flags of every type and prints what it gets."""

import json
import sys

from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext

address, token = sys.argv[1], sys.argv[2]
api.set_provider(OFREPProvider(address, headers_factory=lambda: {"Authorization": f"Bearer {token}"}))
client = api.get_client()
somebody = EvaluationContext("visitor-1", {"user": "42", "groups": ["beta"], "plan": "pro"})

QUESTIONS = {
    "boolean": lambda: client.get_boolean_details("for_all", False),
    "disabled": lambda: client.get_boolean_details("switched_off", True),
    "string": lambda: client.get_string_details("colour", "none", somebody),
    "integer": lambda: client.get_integer_details("limit", 0, somebody),
    "float": lambda: client.get_float_details("price", 0.0, somebody),
    "object": lambda: client.get_object_details("layout", {}, somebody),
    "user": lambda: client.get_boolean_details("for_42", False, somebody),
    "group": lambda: client.get_boolean_details("for_beta", False, somebody),
    "nobody": lambda: client.get_boolean_details("for_beta", False),
    "attribute": lambda: client.get_boolean_details("for_pro", False, somebody),
    "unknown": lambda: client.get_boolean_details("no_such_flag", True),
    "slash": lambda: client.get_boolean_details("no/such flag", True),
    "no_key": lambda: client.get_boolean_details("half", True),
    "bad_context": lambda: client.get_boolean_details("half", True, EvaluationContext("v", {"ip": "here"})),
    "wrong_type": lambda: client.get_string_details("for_all", "none", somebody),
}


def said(details):
    code = details.error_code.value if details.error_code else None
    return {
        "value": details.value,
        "variant": details.variant,
        "reason": str(getattr(details.reason, "value", details.reason)),
        "error": code,
        "metadata": dict(details.flag_metadata or {}),
    }


print(json.dumps({name: said(ask()) for name, ask in QUESTIONS.items()}))
