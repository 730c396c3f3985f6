"""TLS to PostgreSQL: a server of this test's own on loopback TCP, whose certificate is good, made for another host, out of
date or of another authority. 0.0.0.0 reaches it too, and counts as a host beyond this machine."""
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import unittest

from harness import BIN, ROOT, Result, cluster_environment

CONFIG = """version: 1
staging: { dir: "%s" }
database: { url: "${DATABASE_URL}" }
companies: [{ id: acme, siren: "552008443", headcount: 14 }]
"""
REFUSED, CONFIGURATION = 77, 78


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """Signs certificates; its own is NAME.crt in the folder."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.crt, self.key = folder / f"{name}.crt", folder / f"{name}.key"
        openssl("req", "-x509", *self.new_key(self.key), "-out", self.crt, "-days", "2", "-subj", f"/CN={name}")

    @staticmethod
    def new_key(path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path

    def sign(self, name, names, days):
        """NAME.crt and NAME.key for these names."""
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n", encoding="ascii")
        openssl("req", *self.new_key(self.folder / f"{name}.key"), "-out", request, "-subj", "/CN=server")
        openssl("x509", "-req", "-in", request, "-CA", self.crt, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", self.folder / f"{name}.crt")


class Server:
    """A cluster on a free port of 127.0.0.1, with the certificates of a folder."""

    def __init__(self, folder):
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.cluster("start")
        self.data = (folder / "pg").resolve() / "data"
        owner = self.data.stat()
        for path in [*folder.glob("*.crt"), *folder.glob("*.key")]:
            copy = self.data / path.name
            shutil.copy(path, copy)
            copy.chmod(0o600)
            os.chown(copy, owner.st_uid, owner.st_gid)
        self.settings(listen_addresses="127.0.0.1", port=self.port, ssl="on", ssl_cert_file="good.crt",
                      ssl_key_file="good.key")
        self.cluster("stop")
        self.cluster("start")

    def cluster(self, verb):
        subprocess.run([ROOT / "tests" / "cluster.sh", verb, self.folder], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "CLUSTER_THROWAWAY": "1"})

    def settings(self, **settings):
        """For the next start, or the next reload."""
        owner = self.data.stat()
        path = self.data / "postgresql.auto.conf"
        with path.open("a", encoding="utf-8") as out:
            out.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        os.chown(path, owner.st_uid, owner.st_gid)

    def psql(self, sql):
        return subprocess.run(["psql", "-XqAt", "-U", "postgres", "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres",
                               "-c", sql], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()

    def serve(self, name, **settings):
        """With this certificate from now on."""
        self.settings(ssl_cert_file=f"{name}.crt", ssl_key_file=f"{name}.key", **{"ssl": "on", **settings})
        self.psql("SELECT pg_reload_conf()")
        wanted = settings.get("ssl") or f"{name}.crt"
        while self.psql(f"SHOW {'ssl' if 'ssl' in settings else 'ssl_cert_file'}") != wanted:
            pass


class DatabaseTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="pipeline-tls-")
        cls.addClassCleanup(scratch.cleanup)
        cls.folder = pathlib.Path(scratch.name)
        here = "DNS:localhost,IP:127.0.0.1,IP:0.0.0.0"
        authority = Authority(cls.folder, "authority")
        authority.sign("good", here, "2")
        authority.sign("elsewhere", "DNS:db.example.com", "2")
        authority.sign("expired", here, "-1")
        Authority(cls.folder, "stranger").sign("foreign", here, "2")
        cls.addClassCleanup(subprocess.run, [ROOT / "tests" / "cluster.sh", "remove", cls.folder])
        cls.server = Server(cls.folder)
        cls.config = cls.folder / "pipeline.yaml"
        cls.config.write_text(CONFIG % (cls.folder / "staging"), encoding="utf-8")

    def setUp(self):
        self.server.serve("good")

    def migrate(self, host="localhost", root="authority", **options):
        query = {**({"sslrootcert": self.folder / f"{root}.crt"} if root else {}), **options}
        environment = {key: query.pop(key) for key in list(query) if key.startswith("PG")}
        url = f"postgresql://postgres@{host}:{self.server.port}/postgres?" + "&".join(f"{k}={v}" for k, v in query.items())
        env = {key: value for key, value in cluster_environment().items() if not key.startswith("PG")}
        env.update(DATABASE_URL=url, HOME=str(self.folder), **environment)
        return Result(subprocess.run([BIN / "load", "--config", self.config, "--migrate"], env=env, timeout=60,
                                     capture_output=True, text=True))

    def accepted(self, *args, **options):
        result = self.migrate(*args, **options)
        self.assertEqual(result.status, 0, result.stderr)

    def refused(self, status, text, *args, **options):
        result = self.migrate(*args, **options)
        self.assertEqual(result.status, status, result.stderr)
        self.assertIn(text, result.stderr)
        self.assertIn(text, result.report["error"])

    def test_the_right_authority(self):
        self.accepted(sslmode="verify-full")
        self.accepted("127.0.0.1", sslmode="verify-full")

    def test_another_authority(self):
        self.refused(REFUSED, "its authority is not that of sslrootcert", root="stranger", sslmode="verify-full")
        self.server.serve("foreign")
        self.refused(REFUSED, "its authority is not that of sslrootcert", sslmode="verify-full")

    def test_another_host(self):
        self.server.serve("elsewhere")
        self.refused(REFUSED, 'server certificate for "db.example.com" does not match host name "localhost"',
                     sslmode="verify-full")
        self.accepted(sslmode="verify-ca")

    def test_out_of_date(self):
        self.server.serve("expired")
        self.refused(REFUSED, "or it has expired", sslmode="verify-full")

    def test_no_file_of_the_authority(self):
        self.refused(CONFIGURATION, "name the file of the server's authority with sslrootcert", root=None,
                     sslmode="verify-full")

    def test_a_server_without_tls(self):
        self.server.serve("good", ssl="off")
        self.refused(CONFIGURATION, "have TLS turned on there", sslmode="verify-full")
        self.refused(CONFIGURATION, "have TLS turned on there", "0.0.0.0")
        self.accepted(root=None)

    def test_beyond_this_machine_the_certificate_is_verified_unasked(self):
        self.accepted("0.0.0.0")
        self.refused(REFUSED, "its authority is not that of sslrootcert", "0.0.0.0", root="stranger")
        self.refused(CONFIGURATION, "name the file of the server's authority", "0.0.0.0", root=None)
        self.refused(CONFIGURATION, "name the file of the server's authority", f"127.0.0.1:{self.server.port},0.0.0.0",
                     root=None)
        self.server.serve("elsewhere")
        self.refused(REFUSED, "does not match host name", "0.0.0.0")

    def test_unless_told_otherwise(self):
        for options in ({"sslmode": "disable"}, {"sslmode": "prefer"}, {"sslmode": "require"}, {"PGSSLMODE": "prefer"},
                        {"hostaddr": "127.0.0.1"}):
            with self.subTest(options):
                self.accepted("0.0.0.0", root=None, **options)

    def test_over_loopback_it_is_not(self):
        self.server.serve("expired")
        self.accepted("127.0.0.1", root=None)
        self.accepted("localhost", root=None)


if __name__ == "__main__":
    unittest.main()
