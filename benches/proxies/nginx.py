"""nginx: the app of every bench, and a proxy that decides with `split_clients`."""
import shutil

from proxies.running import Running
from proxies.setup import COOKIE, percent


def whole(folder, workers, body):
    return f"""
worker_processes {workers}; daemon off; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000000; large_client_header_buffers 4 256k;
  {body}
}}"""


def app(folder, port, cpus):
    """The app: 1 KiB from memory, and 304 for those who have it."""
    page = "x" * 1024
    location = f"""location / {{ add_header ETag '"1"' always; if ($http_if_none_match) {{ return 304; }} return 200 "{page}"; }}"""
    folder.mkdir()
    path = folder / "nginx.conf"
    path.write_text(whole(folder, 1, f"server {{ listen 127.0.0.1:{port} backlog=4096; default_type text/html; {location} }}"))
    return Running(["nginx", "-c", str(path), "-e", str(folder / "error.log")], port, cpus)


class Nginx:
    """A draw by `split_clients` and a header for each flag that is on; without a value nginx sends no header."""

    name = "nginx"

    def __init__(self):
        self.program = shutil.which("nginx")

    def config(self, setup):
        split = "".join(
            f'split_clients "f{i}:$cookie_{COOKIE}" $f{i} {{ {percent(i)}% on; * ""; }}\n' for i in range(setup.flags)
        )
        headers = "".join(f"proxy_set_header X-Flag-F{i} $f{i};\n" for i in range(setup.flags))
        ssl, certificate = "", ""
        if setup.tls:
            ssl, certificate = " ssl http2", f"ssl_certificate {setup.tls.certificate}; ssl_certificate_key {setup.tls.key};"
        return whole(setup.folder, setup.workers, f"""
  variables_hash_max_size 4096;
  upstream app {{ server 127.0.0.1:{setup.app}; keepalive 256; keepalive_requests 100000000; }}
  {split}
  server {{ listen 127.0.0.1:{setup.port}{ssl} backlog=4096; {certificate} location / {{
    proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Visitor-Id $cookie_{COOKIE};
    {headers} }} }}""")

    def run(self, setup):
        return [self.program, "-c", setup.write("nginx.conf", self.config(setup)), "-e", f"{setup.folder}/error.log"]

    def check(self, setup):
        return [*self.run(setup), "-t"]

    def version(self):
        return [self.program, "-v"]
