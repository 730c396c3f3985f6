"""An HTTP or HTTPS server on loopback whose answers are scripted per path, bad ones included."""
import gzip
import io
import json
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Request:
    def __init__(self, handler, body):
        url = urllib.parse.urlsplit(handler.path)
        self.method, self.path, self.headers = handler.command, url.path, handler.headers
        self.query = {key: values[0] for key, values in urllib.parse.parse_qs(url.query).items()}
        self.url, self.body, self.at = handler.path, body, time.monotonic()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        with self.server.lock:
            self.server.connections += 1

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self, body)
        with self.server.lock:
            self.server.requests.append(request)
            self.server.active += 1
            self.server.most_active = max(self.server.most_active, self.server.active)
            route = self.server.routes.get(request.path)
            if isinstance(route, list):
                answer = route.pop(0) if len(route) > 1 else route[0]
            else:
                answer = route or self.server.otherwise
        try:
            answer(self, request)
        finally:
            with self.server.lock:
                self.server.active -= 1

    do_POST = do_GET

    def send(self, status, body=b"", headers=None):
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if not {"Content-Length", "Transfer-Encoding"} & set(headers or {}):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self):
        """Hangs up with a TCP reset."""
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, tls=None, newest_tls=ssl.TLSVersion.TLSv1_3):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.connections = self.active = self.most_active = 0
        self.requests, self.routes, self.otherwise = [], {}, status(404)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest_tls
            context.load_cert_chain(tls)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def handle_error(self, *_):
        pass # refused handshakes are part of the tests

    def to(self, path):
        with self.lock:
            return [request for request in self.requests if request.path == path]

    def stop(self):
        self.shutdown()
        self.server_close()


AUTHORITY = """[ca]
default_ca = own
[own]
database = {folder}/index.txt
new_certs_dir = {folder}
default_md = sha256
rand_serial = yes
policy = names
x509_extensions = server
[names]
commonName = supplied
[server]
subjectAltName = DNS:{host}
"""


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True)


def certificate(folder, host, begins="20200101000000Z", ends="20490101000000Z"):
    """A self-signed certificate for one host name: where key and certificate lie together, and the latter alone."""
    folder.mkdir()
    key, request, crt, config = (str(folder / name) for name in ("key.pem", "request.pem", "crt.pem", "openssl.cnf"))
    (folder / "index.txt").touch()
    (folder / "openssl.cnf").write_text(AUTHORITY.format(folder=folder, host=host), encoding="utf-8")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
            "-out", request, "-subj", f"/CN={host}")
    openssl("ca", "-batch", "-selfsign", "-notext", "-config", config, "-keyfile", key, "-in", request, "-out", crt,
            "-startdate", begins, "-enddate", ends)
    with open(key, "a", encoding="ascii") as both, open(crt, encoding="ascii") as public:
        both.write(public.read())
    return key, crt


# ---- answers: functions of (handler, request) ----

def page(ids, **more):
    """A page of employees, with whatever else its object holds."""
    return {"data": [{"id": i, "name": f"Name {i}"} for i in ids], **more}


def answer(content, status=200, **headers):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, request: handler.send(status, body, names)


def status(code, **headers):
    return answer({"title": f"status {code}"}, code, **headers)


def slowly(content, pieces, pause_s):
    """The body a few bytes at a time."""
    def drip(handler, request):
        body = json.dumps(content).encode()
        handler.send(200, b"", {"Content-Length": str(len(body))})
        step = len(body) // pieces + 1
        for at in range(0, len(body), step):
            handler.wfile.write(body[at:at + step])
            handler.wfile.flush()
            time.sleep(pause_s)
    return drip


def after(pause_s, then):
    def wait(handler, request):
        time.sleep(pause_s)
        then(handler, request)
    return wait


def cut_short(content):
    """Half of the body under the Content-Length of the whole, then an orderly end."""
    def cut(handler, request):
        body = json.dumps(content).encode()
        handler.send(200, body[:len(body) // 2], {"Content-Length": str(len(body))})
        handler.close_connection = True
    return cut


def length_too_small(content):
    def lie(handler, request):
        body = json.dumps(content).encode()
        handler.send(200, body, {"Content-Length": str(len(body) - 10)})
        handler.close_connection = True
    return lie


def reset_in_body(content):
    def reset(handler, request):
        body = json.dumps(content).encode()
        handler.send(200, body[:len(body) // 2], {"Content-Length": str(len(body))})
        handler.reset()
    return reset


def nothing(handler, request):
    handler.close_connection = True


def bomb(size):
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as out:
        for _ in range(size >> 20):
            out.write(b" " * (1 << 20))
        out.write(b"{}")
    return answer(packed.getvalue(), Content_Encoding="gzip")


def tagged(content, etag):
    """Honours If-None-Match."""
    def maybe(handler, request):
        if request.headers.get("If-None-Match") == etag:
            handler.send(304, b"", {"ETag": etag})
        else:
            handler.send(200, json.dumps(content).encode(), {"ETag": etag})
    return maybe


def huge(size):
    """A body that never mentions how long it will be, in chunks of 64 KiB of blanks."""
    def pour(handler, request):
        handler.send(200, b"", {"Transfer-Encoding": "chunked"})
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(size // 0x10000):
            handler.wfile.write(chunk)
        handler.wfile.write(b"2\r\n{}\r\n0\r\n\r\n")
    return pour


def raw(*pieces):
    """Bytes as they are instead of an answer, then the end of the connection."""
    def write(handler, request):
        for piece in pieces:
            handler.wfile.write(piece)
        handler.close_connection = True
    return write
