#!/usr/bin/env python3
"""Serves the sample over HTTP as its sources do: Alan under /alan/v1, PayFit under /payfit.

The data lies in a folder (see companies.py) and is read again when a file changes, so that a test plays the next night
by editing it. Faults are switched on over /admin, from loopback only:
  PUT /admin/faults     [{"match": "regex of path?query", "skip": 0, "times": 1, "status": 503, "headers": {},
                          "body": "…", "delay_s": 0.0, "drop": false}, …]   the first rule that matches and is not used up answers;
                        without status the true answer goes out after delay_s, and drop closes the connection instead
  GET /admin/requests   what was asked since the last PUT: [{"method", "path", "status", "conditional", …}, …]
"""
import argparse
import base64
import binascii
import gzip
import hashlib
import http.server
import json
import os
import pathlib
import re
import secrets
import ssl
import sys
import threading
import time
import urllib.parse


class Problem(Exception):
    """An answer other than 200; each side shapes its body its own way."""

    def __init__(self, status, title, detail=""):
        super().__init__(title)
        self.status, self.title, self.detail = status, title, detail


class Store:
    """The data folder, parsed once per version of a file."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.cache = {}

    def load(self, *names):
        path = self.folder.joinpath(*names)
        try:
            stat = path.stat()
        except OSError:
            raise Problem(404, "Not Found", "no such company") from None
        version = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if self.cache.get(path, (None,))[0] != version:
            self.cache[path] = (version, json.loads(path.read_text(encoding="utf-8")))
        return self.cache[path][1]


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.replace([])

    def replace(self, rules):
        with self.lock:
            self.rules = [dict(rule, match=re.compile(rule["match"])) for rule in rules]
            self.requests = []

    def take(self, path):
        with self.lock:
            for rule in self.rules:
                if not rule["match"].search(path):
                    continue
                if rule.get("skip", 0) > 0:
                    rule["skip"] -= 1
                elif rule.get("times", 1) > 0:
                    rule["times"] = rule.get("times", 1) - 1
                    return rule
        return None

    def record(self, **request):
        with self.lock:
            self.requests.append(request)


def page_of(records, size, cursor):
    """One page of a list, and the cursor of the next page or None."""
    try:
        start = int(base64.urlsafe_b64decode(cursor or b"MA==").decode().removeprefix("at:"))
    except (ValueError, binascii.Error):
        raise Problem(400, "Bad Request", "unknown cursor") from None
    end = start + max(size, 1)
    following = base64.urlsafe_b64encode(f"at:{end}".encode()).decode() if end < len(records) else None
    return records[start:end], following


class Alan:
    """Lists are {data, next_cursor, total_count, as_of}; errors are application/problem+json."""

    LISTS = {"contracts", "invoices", "invoice_lines", "affiliations"}
    error_type = "application/problem+json"

    def __init__(self, store, max_page):
        self.store, self.max_page = store, max_page
        self.issued = {}  # access tokens of the client credentials flow, and when they end

    def error(self, problem):
        return {"type": "about:blank", "title": problem.title, "status": problem.status, "detail": problem.detail}

    def token(self, form, basic):
        client, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
        clients = self.store.load("auth.json")["alan_clients"]
        if form.get("grant_type") != "client_credentials" or not secret or clients.get(client) != secret:
            raise Problem(401, "Unauthorized", "unknown client")
        token = secrets.token_urlsafe(24)
        self.issued[token] = time.monotonic() + 3600
        return {"access_token": token, "token_type": "bearer", "expires_in": 3600}

    def authorize(self, bearer):
        if bearer not in self.store.load("auth.json")["alan_tokens"] and self.issued.get(bearer, 0) < time.monotonic():
            raise Problem(401, "Unauthorized", "unknown token")

    def get(self, parts, query, bearer):
        self.authorize(bearer)
        if parts[:2] != ["v1", "companies"] or len(parts) not in (3, 4):
            raise Problem(404, "Not Found", "no such resource")
        company = self.store.load("alan", parts[2] + ".json")
        if len(parts) == 3:
            return company["company"]
        if parts[3] not in self.LISTS:
            raise Problem(404, "Not Found", "no such list")
        return self.list(company, parts[3], query)

    def list(self, company, name, query):
        records = company[name]
        if name in ("invoices", "invoice_lines"):
            month = query.get("billing_month", "")
            if not re.fullmatch(r"\d{4}-\d{2}", month):
                raise Problem(400, "Bad Request", "billing_month is missing or no YYYY-MM")
            wanted = {invoice["id"] for invoice in company["invoices"] if invoice.get("billing_month") == month}
            key = "id" if name == "invoices" else "invoice_id"
            records = [record for record in records if record.get(key) in wanted]
        if "updated_since" in query:
            records = [record for record in records if record.get("updated_at", "") >= query["updated_since"]]
        limit = int(query.get("limit", 100))
        if not 1 <= limit <= 500:
            raise Problem(400, "Bad Request", "limit is out of 1..500")
        data, cursor = page_of(records, min(limit, self.max_page), query.get("cursor"))
        return {"data": data, "next_cursor": cursor, "total_count": len(records), "as_of": company["as_of"]}


class PayFit:
    """Lists stand under their own name, with meta.nextPageToken or, for contracts-fr, nextPageToken at the root."""

    error_type = "application/json"

    def __init__(self, store, max_page):
        self.store, self.max_page = store, max_page

    def error(self, problem):
        if problem.status == 429:
            return {"message": problem.detail}
        return {"error": problem.title, "details": problem.detail}

    def get(self, parts, query, bearer):
        allowed = self.store.load("auth.json")["payfit_keys"].get(bearer)
        if allowed is None:
            raise Problem(401, "unauthorized", "unknown key")
        if len(parts) < 2 or parts[1] != allowed:
            raise Problem(404, "not_found", "no such company")
        site = self.store.load("payfit", allowed + ".json")
        if parts[0] == "companies-fr" and len(parts) == 2:
            return site["company"]
        if parts[0] != "companies" or len(parts) != 3:
            raise Problem(404, "not_found", "no such resource")
        return self.resource(site, parts[2], query)

    def resource(self, site, name, query):
        if name == "payroll-status":
            date = query.get("date", "")
            if not re.fullmatch(r"\d{6}", date):
                raise Problem(400, "bad_request", "date must be YYYYMM")
            return site["payroll_status"].get(date) or {"status": "not_completed", "executionEndDate": None}
        if name == "collaborators":
            page, token = self.page(site["collaborators"], query)
            return {"collaborators": page, "meta": {"nextPageToken": token}}
        if name == "contracts-fr":
            page, token = self.page(site["contracts"], query)
            return {"contracts": page, "nextPageToken": token}
        if name in ("health-insurance-contracts", "provident-fund-contracts"):
            return {"contracts": site[name]}
        raise Problem(404, "not_found", "no such resource")

    def page(self, records, query):
        size = min(int(query.get("maxResults", 10)), 50, self.max_page)
        return page_of(records, size, query.get("nextPageToken"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "SampleFeed"
    sys_version = ""
    wbufsize = 1 << 16  # an answer leaves in one piece
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.connection_number = self.server.next_connection()

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    do_PUT = do_POST

    def answer(self, body):
        if self.path.startswith("/admin/"):
            self.admin(body)
            return
        fault = self.server.faults.take(self.path)
        if fault:
            time.sleep(fault.get("delay_s", 0))
            if fault.get("drop"):
                self.record(0)
                self.close_connection = True
                return
            if "status" in fault:
                self.reply_fault(fault)
                return
        self.answer_truly(body)

    def reply_fault(self, fault):
        side = self.server.payfit if self.path.startswith("/payfit/") else self.server.alan
        body = fault.get("body", side.error(Problem(fault["status"], "Fault", "asked for by the test")))
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "application/json" if fault["status"] < 400 else side.error_type
        self.send(fault["status"], kind, text.encode(), fault.get("headers", {}))

    def answer_truly(self, body):
        url = urllib.parse.urlsplit(self.path)
        prefix, *parts = [urllib.parse.unquote(part) for part in url.path.strip("/").split("/")]
        query = dict(urllib.parse.parse_qsl(url.query))
        side = {"alan": self.server.alan, "payfit": self.server.payfit}.get(prefix)
        if side is None:
            self.send(404, "text/plain", b"not found\n")
            return
        try:
            if any(part in ("", ".", "..") or "/" in part for part in parts):
                raise Problem(404, "Not Found", "no such resource")
            if side is self.server.alan and parts in (["oauth", "token"], ["v1", "oauth", "token"]):
                answer = side.token(dict(urllib.parse.parse_qsl(body.decode())), self.basic())
            else:
                answer = side.get(parts, query, self.headers.get("Authorization", "").removeprefix("Bearer "))
        except Problem as problem:
            headers = {"Retry-After": "1"} if problem.status == 429 else {}
            self.send(problem.status, side.error_type, json.dumps(side.error(problem)).encode(), headers)
            return
        self.send_answer(answer)

    def send_answer(self, answer):
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
        etag = '"' + hashlib.sha256(text).hexdigest()[:24] + '"'
        if self.headers.get("If-None-Match") == etag:
            self.send(304, None, b"", {"ETag": etag})
            return
        self.send(200, "application/json; charset=utf-8", text, {"ETag": etag})

    def basic(self):
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        client, _, secret = base64.b64decode(value).decode().partition(":")
        return urllib.parse.unquote(client), urllib.parse.unquote(secret)

    def send(self, status, kind, body, headers=None):
        self.record(status)
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
        if len(body) > 200 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def record(self, status):
        self.server.faults.record(method=self.command, path=self.path, status=status,
                                  conditional="If-None-Match" in self.headers, connection=self.connection_number)

    def admin(self, body):
        faults = self.server.faults
        if self.client_address[0] not in ("127.0.0.1", "::1"):
            answer, status = {"error": "loopback only"}, 403
        elif self.command == "PUT" and self.path == "/admin/faults":
            faults.replace(json.loads(body))
            answer, status = {}, 200
        elif self.command == "GET" and self.path == "/admin/requests":
            answer, status = list(faults.requests), 200
        else:
            answer, status = {"error": "unknown"}, 404
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_request(self, code="-", size="-"):
        if self.server.verbose and not self.path.startswith("/admin/"):
            self.log_message("%s %s %s", self.command, self.path, code)


class Feed(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, folder, max_page, verbose):
        super().__init__(address, Handler)
        store = Store(folder)
        self.alan, self.payfit = Alan(store, max_page), PayFit(store, max_page)
        self.faults, self.verbose = Faults(), verbose
        self.connections, self.lock = 0, threading.Lock()

    def next_connection(self):
        with self.lock:
            self.connections += 1
            return self.connections

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    parser = argparse.ArgumentParser(description="Serves the sample feed; prints its port.")
    parser.add_argument("--data", required=True, help="folder made by companies.py")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--max-page", type=int, default=7, help="most records on a page, whatever is asked for")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--quiet", action="store_true", help="no line per request")
    options = parser.parse_args()
    if not os.path.isdir(options.data):
        parser.error(f"{options.data} is no folder")
    feed = Feed(("127.0.0.1", options.port), options.data, options.max_page, not options.quiet)
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)
        feed.socket = context.wrap_socket(feed.socket, server_side=True, do_handshake_on_connect=False)
    print(feed.server_address[1], flush=True)
    try:
        feed.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
