"""A static server that counts what goes over the wire, and that can be stopped."""

import gzip
import http.server
import mimetypes
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What is packed already gains nothing from gzip; common hosts pack the rest.
PACKED = {".whl", ".zip", ".png", ".gz", ".woff", ".woff2"}
TYPES = {".js": "text/javascript", ".wasm": "application/wasm", ".ipynb": "application/json"}


class Server:
    """Context manager: serves a folder to this machine alone.

    `sent` counts, for each path, the bytes of the bodies as they were sent; `missing` has the paths
    that were asked for in vain.
    """

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.sent, self.missing = Counter(), set()
        self.port, self._http = 0, None  # any that is free, and later the same
        self._gzipped = {}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self):
        handler = partial(Handler, self)
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        self.address = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self):
        """Nobody listens any more: the browser is refused."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def wait_until_quiet(self, pause=5, limit=180):
        """Wait until nothing has been asked for during `pause` seconds."""
        give_up, before = time.monotonic() + limit, None
        while (now := sum(self.sent.values())) != before:
            assert time.monotonic() < give_up, f"something is still loaded after {limit} s"
            before = now
            time.sleep(pause)

    def gzipped(self, path):
        """The content of a file, packed once."""
        if path not in self._gzipped:
            self._gzipped[path] = gzip.compress(path.read_bytes(), 6)
        return self._gzipped[path]


class Handler(http.server.BaseHTTPRequestHandler):
    """As on a common host: gzip, ten minutes of caching, and a tag to ask again with (304)."""

    protocol_version = "HTTP/1.1"

    def __init__(self, server, *arguments):
        self.site = server
        super().__init__(*arguments)

    def do_GET(self):
        if self.site._http is None:  # a connection that was open when the server stopped
            self.close_connection = True
            return
        address = unquote(urlsplit(self.path).path)
        path = (self.site.folder / address.lstrip("/")).resolve()
        if path.is_dir():
            path /= "index.html"
        if not path.is_file() or not path.is_relative_to(self.site.folder):
            self.site.missing.add(address)
            self.answer(404, b"")
            return
        tag = f'"{path.stat().st_mtime_ns}"'
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, b"", ETag=tag)
            return
        headers = {"ETag": tag, "Cache-Control": "max-age=600"}
        kind = TYPES.get(path.suffix) or mimetypes.guess_type(path)[0]
        headers["Content-Type"] = kind or "application/octet-stream"
        body = path.read_bytes()
        if path.suffix not in PACKED and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = self.site.gzipped(path)
            headers["Content-Encoding"] = "gzip"
        self.site.sent[address] += len(body)
        self.answer(200, body, **headers)

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass
