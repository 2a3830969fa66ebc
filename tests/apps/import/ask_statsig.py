"""What Statsig's own SDK gives: ask_statsig.py EXPORT PEOPLE"""

import http.server
import json
import sys
import threading

from statsig_python_core import Statsig, StatsigOptions, StatsigUser

specs = open(sys.argv[1], "rb").read()
people = json.load(open(sys.argv[2]))


class Specs(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(specs)))
        self.end_headers()
        self.wfile.write(specs)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Specs)
threading.Thread(target=server.serve_forever, daemon=True).start()
options = StatsigOptions(
    specs_url=f"http://127.0.0.1:{server.server_port}/v2/download_config_specs",
    log_event_url="http://127.0.0.1:9/nobody",
    disable_all_logging=True,
    disable_country_lookup=True,
    disable_disk_access=True,
)
statsig = Statsig("secret-key", options)
statsig.initialize().wait()
assert statsig.get_feature_gate(StatsigUser("nobody"), "new_checkout").details.reason.startswith("Network"), "no specs"


def asked(person):
    custom = {key: person[key] for key in ("plan", "age", "app_version")}
    user = StatsigUser(person["id"], email=person["email"], country=person["country"], custom=custom)
    gates = {name: statsig.check_gate(user, name) for name in ("new_checkout", "for_segment")}
    configs = {name: statsig.get_dynamic_config(user, name).value for name in ("pricing", "sized", "banner")}
    return gates | configs


print(json.dumps([asked(person) for person in people]), flush=True)
