"""HAProxy: a hash of the visitor with a seed for each flag (`xxh32`), and a header for each flag that is on."""
import shutil

from proxies.setup import COOKIE, percent


class Haproxy:
    name = "haproxy"

    def __init__(self):
        self.program = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")

    def config(self, setup):
        flags = "".join(
            f"  http-request set-header X-Flag-F{i} on if {{ var(txn.visitor),xxh32({i}),mod(100) lt {percent(i)} }}\n"
            for i in range(setup.flags)
        )
        tls = f" ssl crt {setup.tls.both} alpn h2,http/1.1" if setup.tls else ""
        return f"""
global
  nbthread {setup.workers}
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend visitors
  bind 127.0.0.1:{setup.port}{tls} backlog 4096
  http-request set-var(txn.visitor) req.cook({COOKIE})
  http-request set-header X-Visitor-Id %[var(txn.visitor)]
  http-request set-header X-Forwarded-Proto {"https" if setup.tls else "http"}
  http-request del-header X-Flag- -m beg
{flags}  default_backend app
backend app
  server app 127.0.0.1:{setup.app}
"""

    def run(self, setup):
        return [self.program, "-db", "-f", setup.write("haproxy.cfg", self.config(setup))]

    def check(self, setup):
        return [*self.run(setup), "-c"]

    def version(self):
        return [self.program, "-v"]
