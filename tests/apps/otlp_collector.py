"""A collector that takes spans by OTLP over HTTP, and answers GET with those that it has."""

import http.server
import json
import threading

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

spans = []
lock = threading.Lock()


def plain(attributes):
    """A list of keys and values as a dictionary."""
    return {one.key: next(iter(MessageToDict(one.value).values()), None) for one in attributes}


def told(resource, span):
    return {
        "resource": plain(resource.attributes),
        "name": span.name,
        "kind": Span.SpanKind.Name(span.kind),
        "trace": span.trace_id.hex(),
        "span": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "nanoseconds": span.end_time_unix_nano - span.start_time_unix_nano,
        "attributes": plain(span.attributes),
        "events": [{"name": event.name, "attributes": plain(event.attributes)} for event in span.events],
        "status": Status.StatusCode.Name(span.status.code),
    }


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/traces" or self.headers["Content-Type"] != "application/x-protobuf":
            return self.answer(404, b"", "text/plain")
        request = ExportTraceServiceRequest.FromString(body)
        with lock:
            for group in request.resource_spans:
                for scope in group.scope_spans:
                    spans.extend(told(group.resource, span) for span in scope.spans)
        self.answer(200, ExportTraceServiceResponse().SerializeToString(), "application/x-protobuf")

    def do_GET(self):
        with lock:
            self.answer(200, json.dumps(spans).encode(), "application/json")

    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
print("listening on 127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
