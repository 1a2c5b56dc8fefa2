"""What a pod of the tests runs: a model server of TensorFlow Serving's kind, from Python alone.

It is the text of a container's command in a cluster, and a process of this machine otherwise. ``BIAS`` tells several
apart: the model is half of x, plus that.
"""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BIAS = float(os.environ.get("BIAS", "2"))

seen: list[str] = []


class Model(BaseHTTPRequestHandler):
    """Answers for any model's name; ``/seen`` tells how many predictions were asked for."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out together, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path == "/seen":
            self._answer({"seen": len(seen)})
            return
        version = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
        self._answer({"model_version_status": [version]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        seen.append(self.path)
        self._answer({"predictions": [x / 2 + BIAS for x in asked.get("instances", [])]})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve; tell the port."""
    host = os.environ.get("HOST", "")
    server = ThreadingHTTPServer((host, int(os.environ.get("PORT", "8501"))), Model)
    print(server.server_address[1], flush=True)  # noqa: T201 - whoever started it reads that
    server.serve_forever()


if __name__ == "__main__":
    main()
