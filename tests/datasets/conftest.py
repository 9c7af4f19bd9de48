import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Site:
    """Files on localhost, with a fault for each of the first requests."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"
        self.files = {}
        self.faults = []
        self.requests = []

    def put(self, name, content):
        self.files[f"/{name}"] = content
        return f"{self.url}/{name}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server.site
        site.requests.append(self.path)
        fault = site.faults.pop(0) if site.faults else None
        content = site.files.get(self.path)
        if fault == "reset":
            self.close_connection = True
        elif isinstance(fault, int) or content is None:
            self.send_error(fault or 404)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            end = len(content) // 2 if fault == "truncate" else len(content)
            self.wfile.write(content[:end])

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.site = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.site
    server.shutdown()
    thread.join()
    server.server_close()
