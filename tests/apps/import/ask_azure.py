"""What Microsoft's own library gives: ask_azure.py EXPORT PEOPLE"""

import json
import sys

from featuremanagement import FeatureManager, TargetingContext

export = json.load(open(sys.argv[1]))
people = json.load(open(sys.argv[2]))
manager = FeatureManager(export)
flags = export["feature_management"]["feature_flags"]


def given(flag, context):
    if "variants" in flag:
        return manager.get_variant(flag["id"], context).configuration
    return manager.is_enabled(flag["id"], context)


def asked(person):
    context = TargetingContext(user_id=person["id"], groups=[person["plan"]])
    return {flag["id"]: given(flag, context) for flag in flags}


print(json.dumps([asked(person) for person in people]))
