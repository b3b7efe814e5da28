"""A server proves who it is, and a client to it, as variables say; with certificates made here."""

import datetime
import http.server
import ipaddress
import ssl
import threading

import pytest

from mltrack_jupyter.errors import InvalidParameter, ServerUnreachable
from mltrack_jupyter.store import open_store

pytest.importorskip("cryptography")
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

INSECURE = "MLFLOW_TRACKING_INSECURE_TLS"
AUTHORITY = "MLFLOW_TRACKING_SERVER_CERT_PATH"
CLIENT = "MLFLOW_TRACKING_CLIENT_CERT_PATH"


class Authority:
    """Issues certificates; :meth:`issue` returns the file of one, with its key."""

    def __init__(self, folder, name):
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / f"{name}.pem"
        self._own = self._signed(name, self._key, own=True)
        self.path.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        found = self._signed(name, key)
        path = self._folder / f"{self._name}-{name}.pem"
        path.write_bytes(
            found.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return str(path)

    def _signed(self, name, key, own=False):
        now = datetime.datetime.now(datetime.UTC)
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)])
        identifier = x509.SubjectKeyIdentifier.from_public_key
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
            .add_extension(identifier(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, own, own, False, False),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )


class Answers(http.server.BaseHTTPRequestHandler):
    """Says which experiment was made."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"experiment_id": "7"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Quiet(http.server.ThreadingHTTPServer):
    """Says nothing of clients that go away while they are being greeted."""

    daemon_threads = True

    def handle_error(self, *_):
        pass


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "our authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "another authority")


def serve(authority, *, asks):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("server"))
    if asks:
        context.load_verify_locations(authority.path)
        context.verify_mode = ssl.CERT_REQUIRED
    server = Quiet(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="module")
def servers(authority):
    """A server with a certificate, and one that asks for the client's too."""
    found = {"plain": serve(authority, asks=False), "strict": serve(authority, asks=True)}
    yield {name: f"https://127.0.0.1:{item.server_address[1]}" for name, item in found.items()}
    for item in found.values():
        item.shutdown()
        item.server_close()


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in (INSECURE, AUTHORITY, CLIENT):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def ask(url):
    services = open_store(url)
    try:
        return services.experiments.create("e")
    finally:
        services.close()


def test_a_certificate_of_nobody_known_is_refused_with_what_to_set(servers):
    with pytest.raises(ServerUnreachable, match=AUTHORITY):
        ask(servers["plain"])


@pytest.mark.parametrize("prefix", ["MLFLOW", "MLTRACK"])
def test_an_authority_is_trusted_by_its_certificate(servers, authority, monkeypatch, prefix):
    monkeypatch.setenv(AUTHORITY.replace("MLFLOW", prefix), str(authority.path))
    assert ask(servers["plain"]) == "7"


def test_and_no_other_one(servers, stranger, monkeypatch):
    monkeypatch.setenv(AUTHORITY, str(stranger.path))
    with pytest.raises(ServerUnreachable, match="not trusted"):
        ask(servers["plain"])


@pytest.mark.parametrize("yes", ["true", "1", "True"])
def test_a_certificate_is_not_looked_at_if_that_is_wished(servers, monkeypatch, yes):
    monkeypatch.setenv(INSECURE, yes)
    assert ask(servers["plain"]) == "7"


@pytest.mark.parametrize("no", ["false", "0", ""])
def test_nor_by_accident(servers, monkeypatch, no):
    monkeypatch.setenv(INSECURE, no)
    with pytest.raises(ServerUnreachable):
        ask(servers["plain"])


def test_a_client_shows_its_certificate(servers, authority, monkeypatch):
    monkeypatch.setenv(AUTHORITY, str(authority.path))
    with pytest.raises(ServerUnreachable):
        ask(servers["strict"])
    monkeypatch.setenv(CLIENT, authority.issue("client"))
    assert ask(servers["strict"]) == "7"


def test_also_where_the_servers_is_not_looked_at(servers, authority, monkeypatch):
    monkeypatch.setenv(INSECURE, "true")
    monkeypatch.setenv(CLIENT, authority.issue("other-client"))
    assert ask(servers["strict"]) == "7"


def test_one_of_a_stranger_does_not_do(servers, authority, stranger, monkeypatch):
    monkeypatch.setenv(AUTHORITY, str(authority.path))
    monkeypatch.setenv(CLIENT, stranger.issue("client"))
    with pytest.raises(ServerUnreachable):
        ask(servers["strict"])


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({INSECURE: "perhaps"}, INSECURE),
        ({INSECURE: "true", AUTHORITY: "somewhere.pem"}, "one of the two"),
        ({AUTHORITY: "nowhere.pem"}, "nowhere.pem"),
        ({CLIENT: "nowhere.pem"}, "key"),
    ],
)
def test_what_cannot_be_right_is_told(variables, said, monkeypatch):
    for name, text in variables.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(InvalidParameter, match=said):
        open_store("https://127.0.0.1:1")


def test_a_certificate_without_its_key_is_told(authority, monkeypatch):
    monkeypatch.setenv(CLIENT, str(authority.path))
    with pytest.raises(InvalidParameter, match=CLIENT):
        open_store("https://127.0.0.1:1")
