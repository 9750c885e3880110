"""A collector that reads requests with OpenTelemetry's own classes.

It prints the ports of the way without TLS and of the way with it; then it does what it is told on its input: the next
answer is `ok`, a status, `health` (200 and no more), `refuse` (taken in part), `garbage`, `elsewhere` (another address), or none at all (`hang up`);
`dump` prints what it has, a line of JSON for each record.
"""

import http.server, json, ssl, sys, threading

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

mode = "ok"
kept = []


def value(any):
    return getattr(any, any.WhichOneof("value"))


def attributes(of):
    return {one.key: value(one.value) for one in of.attributes}


def records(request):
    for logs in request.resource_logs:
        for scope in logs.scope_logs:
            for record in scope.log_records:
                yield {
                    "resource": attributes(logs.resource),
                    "scope": scope.scope.name,
                    "time": record.time_unix_nano,
                    "observed": record.observed_time_unix_nano,
                    "severity": [record.severity_number, record.severity_text],
                    "body": value(record.body),
                    "attributes": attributes(record),
                    "flags": record.flags,
                    "trace": record.trace_id.hex(),
                    "span": record.span_id.hex(),
                    "event": record.event_name,
                }


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/logs" and self.headers["Content-Type"] == "application/x-protobuf"
        request = ExportLogsServiceRequest.FromString(body)
        # What the classes do not know they keep aside.
        assert not any(map(len, unknown(request))), body
        answer = ExportLogsServiceResponse()
        if mode in ("ok", "hang up"):
            kept.extend(records(request))
        if mode == "refuse":
            kept.extend(list(records(request))[3:])
        if mode == "hang up":
            return self.connection.close()
        if mode == "refuse":
            answer.partial_success.rejected_log_records = 3
            answer.partial_success.error_message = "too much\n"
        self.send_response(int(mode) if mode.isdigit() else 307 if mode == "elsewhere" else 200)
        self.send_header("Location", f"http://127.0.0.1:{plain.server_port}/v1/logs")
        body = {"garbage": b"\xff\xff", "health": b""}.get(mode, answer.SerializeToString())
        self.send_header("Content-Length", str(len(body)))
        if mode != "health":
            self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def unknown(message):
    yield UnknownFieldSet(message)
    for field, content in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for one in content if hasattr(content, "append") else [content]:
                yield from unknown(one)


def serve(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("server.pem", "server.key")
context.load_verify_locations("server.pem")
context.verify_mode = ssl.CERT_REQUIRED
plain, secure = serve(), serve(context)
print(plain.server_port, secure.server_port, flush=True)
for line in sys.stdin:
    if line.strip() == "dump":
        for record in kept:
            print(json.dumps(record))
    else:
        mode = line.strip()
    print("done", flush=True)
