"""What GrowthBook's own SDK gives: ask_growthbook.py EXPORT PEOPLE"""

import json
import sys

from growthbook import GrowthBook

features = json.load(open(sys.argv[1]))["features"]
people = json.load(open(sys.argv[2]))


def given(person):
    growthbook = GrowthBook(attributes=person, features=features)
    return {name: growthbook.eval_feature(name).value for name in features}


print(json.dumps([given(person) for person in people]))
