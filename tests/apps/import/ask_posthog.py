"""What PostHog's own SDK gives: ask_posthog.py EXPORT PEOPLE"""

import json
import sys

from posthog.feature_flags import match_feature_flag_properties

export = json.load(open(sys.argv[1]))
people = json.load(open(sys.argv[2]))
flags = {flag["key"]: flag for flag in export["flags"]}


def given(flag, person):
    if not flag["active"]:
        return False
    return match_feature_flag_properties(
        flag, person["id"], person, cohort_properties=export["cohorts"], flags_by_key=flags, evaluation_cache={},
        bucketing_value=person["id"],
    )


print(json.dumps([{key: given(flag, person) for key, flag in flags.items()} for person in people]))
