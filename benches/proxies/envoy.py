"""Envoy: a Lua filter that hashes the visitor with each flag (FNV-1a), and sets a header for each flag that is on.

Routes by `runtime_fraction` cannot do it: one route is taken for each request, and so many flags would need a route for each of their mixtures.
A filter for each flag, skipped by the matcher `runtime_fraction`, can; with 10 flags it took a tenth more time than this, with 50 two thirds more.
"""
import json
import os
import shutil

from proxies.setup import COOKIE, percent

TYPE = "type.googleapis.com/envoy."
PREFIX = "X-Flag-"


def typed(name, **fields):
    return {"@type": TYPE + name, **fields}


LUA = """
local shares, names, salts = {{{shares}}}, {{{names}}}, {{{salts}}}
local bit = require("bit")
local function hashed(hash, text)
  for i = 1, #text do
    hash = bit.bxor(hash, string.byte(text, i))
    hash = bit.tobit(hash + bit.lshift(hash, 1) + bit.lshift(hash, 4) + bit.lshift(hash, 7) + bit.lshift(hash, 8) + bit.lshift(hash, 24))
  end
  return hash
end
function envoy_on_request(handle)
  local headers = handle:headers()
  local visitor = string.match(headers:get("cookie") or "", "{cookie}=([^;]*)") or ""
  headers:replace("X-Visitor-Id", visitor)
  for i = 1, #shares do
    if hashed(hashed(-2128831035, salts[i]), visitor) % 100 < shares[i] then headers:replace(names[i], "on") end
  end
end
"""


def strip():
    """Takes from visitors what only the proxy may say."""
    mutation = {"remove_on_match": {"key_matcher": {"prefix": PREFIX, "ignore_case": True}}}
    config = typed("extensions.filters.http.header_mutation.v3.HeaderMutation", mutations={"request_mutations": [mutation]})
    return {"name": "strip", "typed_config": config}


def decide(flags):
    shares = ", ".join(str(percent(i)) for i in range(flags))
    names = ", ".join(f'"{PREFIX}F{i}"' for i in range(flags))
    salts = ", ".join(f'"f{i}:"' for i in range(flags))
    code = LUA.format(shares=shares, names=names, salts=salts, cookie=COOKIE)
    config = typed("extensions.filters.http.lua.v3.Lua", default_source_code={"inline_string": code})
    return {"name": "decide", "typed_config": config}


class Envoy:
    name = "envoy"

    def __init__(self):
        self.program = os.environ.get("ENVOY") or shutil.which("envoy")

    def config(self, setup):
        router = {"name": "router", "typed_config": typed("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)}
        manager = typed(
            "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix="visitors",
            use_remote_address=True,
            generate_request_id=False,
            http_filters=[strip(), decide(setup.flags), router],
            route_config={"virtual_hosts": [{
                "name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "app"}}],
            }]},
        )
        chain = {"filters": [{"name": "http", "typed_config": manager}]}
        if setup.tls:
            pair = {"certificate_chain": {"filename": str(setup.tls.certificate)}, "private_key": {"filename": str(setup.tls.key)}}
            common = {"tls_certificates": [pair], "alpn_protocols": ["h2", "http/1.1"]}
            context = typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=common)
            chain["transport_socket"] = {"name": "tls", "typed_config": context}
        app = {"endpoint": {"address": address(setup.app)}}
        cluster = {
            "name": "app", "connect_timeout": "5s", "type": "STATIC",
            "load_assignment": {"cluster_name": "app", "endpoints": [{"lb_endpoints": [app]}]},
        }
        listener = {"name": "visitors", "address": address(setup.port), "filter_chains": [chain]}
        return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}}, indent=1)

    def run(self, setup):
        path = setup.write("envoy.json", self.config(setup))
        return [self.program, "-c", path, "--concurrency", str(setup.workers), "--disable-hot-restart", "--log-level", "off"]

    def check(self, setup):
        path = setup.write("envoy.json", self.config(setup))
        return [self.program, "-c", path, "--mode", "validate", "--log-level", "error"]

    def version(self):
        return [self.program, "--version"]


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
