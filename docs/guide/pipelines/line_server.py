"""A model server for the guide: straight lines, under TensorFlow Serving's paths, as they were last trained.

``python line_server.py FOLDER PORT`` serves each ``NAME.json`` of the folder. In a cluster TensorFlow Serving or KServe
would do this, with a volume or a bucket in the folder's place.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class LineServer(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out together, and at once.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self):
        """Say whether there is such a model."""
        known = (FOLDER / f"{Path(self.path).name}.json").exists()
        version = {"version": "1", "state": "AVAILABLE"}
        self.answer(200, {"model_version_status": [version]}) if known else self.answer(404, {"error": "no such model"})

    def do_POST(self):
        """Predict."""
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        name = Path(self.path).name.removesuffix(":predict")
        try:
            line = json.loads((FOLDER / f"{name}.json").read_text())
            self.answer(200, {"predictions": [line["slope"] * x + line["intercept"] for x in asked["instances"]]})
        except (KeyError, TypeError, ValueError) as error:
            self.answer(500, {"error": f"{type(error).__name__}: {error}"})

    def answer(self, status, document):
        """Send JSON."""
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


if __name__ == "__main__":
    FOLDER = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), LineServer)
    print(f"models in {FOLDER} answer at http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
