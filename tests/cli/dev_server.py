# The server of the apps that `dev` serves in tests: each has `SAYS`, and an `answer` to a request, its type and its parts.
# After them, a path `/hold?FILE` streams on as long as the file is missing.
import http.server, os, pathlib, socketserver, sys, time

print("started", SAYS, file=sys.stderr, flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        kind, parts = answer(self)
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

        def send(part):
            part = part.encode() if isinstance(part, str) else part
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.flush()

        for part in parts:
            send(part)
        if self.path.startswith("/hold?"):
            while not pathlib.Path(self.path.split("?")[1]).exists():
                time.sleep(0.01)
            send("and ends whole\n")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    def handle_error(self, *_):
        pass


Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
