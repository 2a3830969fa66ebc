"""An app that shows what Flagstaff tells it. Put your own in its place."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        is_on = self.headers.get("X-Flag-Example") == "on"
        text = f"<p>example is {'on' if is_on else 'off'} for visitor {self.headers.get('X-Visitor-Id', 'unknown')}</p>\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    ThreadingHTTPServer(("", 8000), Page).serve_forever()
