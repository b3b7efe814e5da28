"""How a server proves who it is, and this client to it: the variables of MLflow, or ours."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable

from mltrack_jupyter.config import setting
from mltrack_jupyter.errors import InvalidParameter

_INSECURE = ("MLTRACK_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_INSECURE_TLS")
_AUTHORITY = ("MLTRACK_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_SERVER_CERT_PATH")
_CLIENT = ("MLTRACK_TRACKING_CLIENT_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH")


def tls_context() -> ssl.SSLContext | bool:
    """Return what httpx is to check a server with, and to show it; ``True`` for the usual authorities.

    Raises ``InvalidParameter`` for variables that contradict each other, and files that are not right.
    """
    insecure, authority, client = is_on(*_INSECURE), setting(*_AUTHORITY), setting(*_CLIENT)
    if insecure and authority:
        raise InvalidParameter(
            f"{_INSECURE[1]} says not to look at the certificate of the server, and {_AUTHORITY[1]} against what "
            "to check it; set one of the two."
        )
    if not (insecure or authority or client):
        return True
    context = _context(insecure, authority)
    if client:
        _use(client, _CLIENT[1], lambda: context.load_cert_chain(client))
    return context


def _context(insecure: bool, authority: str) -> ssl.SSLContext:
    import httpx

    context: ssl.SSLContext = httpx.create_ssl_context(verify=not insecure and not authority)
    if authority:
        folder = os.path.isdir(authority)
        _use(
            authority,
            _AUTHORITY[1],
            lambda: context.load_verify_locations(
                cafile=None if folder else authority, capath=authority if folder else None
            ),
        )
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
    return context


def _use(path: str, variable: str, load: Callable[[], None]) -> None:
    try:
        load()
    except (OSError, ssl.SSLError) as error:
        raise InvalidParameter(
            f"{variable} names {path!r}, which cannot be used: {error}. Right is a file with certificates in PEM"
            + (", and the key of the client's in it." if variable == _CLIENT[1] else ".")
        ) from error


def hint(error: Exception) -> str:
    """Return what to do about a connection that failed for its certificates, ``""`` for others."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            f" Its certificate is not trusted here: {_AUTHORITY[1]} names the certificate of the authority that "
            "issued it."
        )
    if "certificate required" in text.lower() or "handshake failure" in text.lower():
        return f" It asks for a certificate of the client: {_CLIENT[1]} names it."
    return ""


def is_on(*names: str) -> bool:
    """Tell whether a variable says yes. Raises ``InvalidParameter`` where it says neither yes nor no."""
    text = setting(*names).strip().lower()
    if text not in ("", "0", "1", "false", "true", "no", "yes", "off", "on"):
        raise InvalidParameter(f"{names[-1]}={text!r}: right are true and false.")
    return text in ("1", "true", "yes", "on")
