"""nginx handing out the pages that pages.py has written: fast enough that what is measured is its clients."""
import os
import shutil
import socket
import subprocess
import time

CONF = """daemon off;
%(user)s
pid %(folder)s/nginx.pid;
error_log %(folder)s/nginx.log;
worker_processes 1;
events { worker_connections 1000; }
http {
    access_log off;
    default_type application/json;
    tcp_nodelay on;
    keepalive_requests 100000000;
    client_body_temp_path %(folder)s/nginx.body;
    proxy_temp_path %(folder)s/nginx.proxy;
    fastcgi_temp_path %(folder)s/nginx.fastcgi;
    uwsgi_temp_path %(folder)s/nginx.uwsgi;
    scgi_temp_path %(folder)s/nginx.scgi;
    server {
        listen 127.0.0.1:%(port)d;
        location / { root %(folder)s/pages; try_files $uri@$args =404; }
    }
}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def available():
    return shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or ""


class PageServer:
    """Serves FOLDER/pages as soon as it is started; the URL is known before."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        conf = self.folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # the folder is its owner's alone
        conf.write_text(CONF % {"user": user, "folder": self.folder, "port": self.port}, encoding="utf-8")
        self.process = subprocess.Popen([available(), "-p", self.folder, "-c", conf, "-e", self.folder / "nginx.log"])
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.05)
        raise RuntimeError("nginx did not start: " + (self.folder / "nginx.log").read_text(encoding="utf-8"))

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
