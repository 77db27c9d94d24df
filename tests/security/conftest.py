"""Fixtures of the tests beside it."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@pytest.fixture
def answers():
    """A server that gives the answer (status, headers, body) put in it, and its address."""
    answer = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, headers, body = answer[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield answer, f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()
