"""What ConfigCat's own SDK gives: ask_configcat.py EXPORT PEOPLE"""

import json
import sys

import configcatclient
from configcatclient import ConfigCatOptions
from configcatclient.localfiledatasource import LocalFileFlagOverrides
from configcatclient.overridedatasource import OverrideBehaviour
from configcatclient.user import User

people = json.load(open(sys.argv[2]))
overrides = LocalFileFlagOverrides(sys.argv[1], OverrideBehaviour.LocalOnly)
client = configcatclient.get("localhost", ConfigCatOptions(flag_overrides=overrides))


def user(person):
    custom = {"plan": person["plan"], "age": person["age"], "appVersion": person["app_version"]}
    return User(person["id"], person["email"], person["country"], custom)


print(json.dumps([client.get_all_values(user(person)) for person in people]))
