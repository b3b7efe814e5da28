"""Whether a name tells that its value is a secret."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache


class Kind(IntEnum):
    """How surely the value of a name is a secret."""

    NONE = 0
    WEAK = 1
    """Mostly it is none (``key``): the value must look as if it was drawn at random."""
    MEDIUM = 2
    """Often it is one (``auth``): the value must have a mixture of letters and digits, or signs."""
    STRONG = 3


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PARTS = re.compile(r"[_\-.\s/]+")
_TAIL = re.compile(r"\d+$")
# What a name may have behind the word that tells.
_BEHIND = frozenset((
    "value", "val", "default", "old", "new", "prod", "dev", "base64", "b64", "plain", "plaintext",
    "raw", "bytes", "hex", "env", "backup", "test", "live", "base",
))  # fmt: skip
_SURE = frozenset((
    "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "pw", "psw", "passwort", "kennwort",
    "wachtwoord", "senha", "contrasena", "contraseña", "contrasenya", "haslo", "hasło", "parola", "пароль",
    "密码", "パスワード", "secret", "secrets", "credential", "credentials", "creds", "cred", "bearer", "jwt",
    "otp", "totp", "pin", "mnemonic", "sas", "cookie", "cookies", "authorization",
))  # fmt: skip
_GLUED = ("secret", "password", "passwd", "passphrase")
_OFTEN = frozenset((
    "auth", "auths", "pass", "tokens", "webhook", "salt", "pepper", "sessionid", "sid", "hmac", "dsn",
    "pat",
))  # fmt: skip
_SELDOM = frozenset(("key", "keys", "session", "signature", "sig", "conn", "connection"))
# A key is mostly a column, or a name in a dict: what is in front tells that it opens something.
_KEYS = frozenset((
    "access", "account", "admin", "aes", "api", "app", "application", "auth", "authorization",
    "bot", "cipher", "client", "consumer", "crypto", "decryption", "deploy", "deployment", "dsa",
    "ecdsa", "encrypt", "encryption", "fernet", "gpg", "hmac", "jwt", "kms", "licence", "license",
    "master", "pgp", "priv", "private", "rsa", "secret", "server", "service", "sign", "signature",
    "signing", "ssh", "ssl", "subscription", "tls", "vault", "webhook", "anthropic", "aws",
    "azure", "cohere", "comet", "gcp", "gemini", "github", "gitlab", "google", "groq", "hf",
    "huggingface", "kaggle", "langchain", "langsmith", "mistral", "neptune", "openai",
    "openrouter", "pinecone", "sendgrid", "slack", "stripe", "tavily", "twilio", "wandb", "storage",
    "function", "ingest", "write", "shared",
))  # fmt: skip
_GLUED_TOKENS = frozenset((
    "access", "api", "auth", "bearer", "client", "private", "refresh", "secret", "session",
))  # fmt: skip
# A token is mostly a secret: those are the words of a tokenizer, and what is counted or parsed.
_OPEN_TOKENS = frozenset((
    "added", "audio", "begin", "blank", "boi", "bos", "class", "cls", "current", "curr",
    "decoder", "delimiter", "end", "eod", "eoi", "eom", "eos", "eot", "first", "generated",
    "image", "img", "input", "label", "lang", "language", "last", "mask", "max", "min", "new",
    "newline", "next", "num", "oov", "output", "pad", "padding", "patch", "pool", "pooling", "prev",
    "previous", "sep", "separator", "sot", "source", "special", "split", "src", "start", "stop",
    "suffix", "target", "text", "tgt", "think", "unk", "unknown", "video", "vision", "vocab",
    "word",
))  # fmt: skip
# A pass over data, or of a filter, and what passes.
_OPEN_PASSES = frozenset((
    "all", "backward", "band", "bypass", "did", "first", "forward", "fwd", "bwd", "high", "last",
    "low", "max", "min", "multi", "num", "n", "one", "second", "single", "two", "by",
))  # fmt: skip


# What is often made of digits only.
_OF_DIGITS = re.compile(
    r"(?:password|passwd|pwd|passcode|pin|otp|passwort|kennwort)\d*$", re.IGNORECASE
)
_LONGEST = 120


def may_be_digits(name: str) -> bool:
    """Tell whether a number may be the secret of a name; that of a token is mostly an id."""
    return kind_of(name) is Kind.STRONG and _OF_DIGITS.search(name[-_LONGEST:]) is not None


def kind_of(name: str) -> Kind:
    """Return how surely the value of a name is a secret; of a dotted name its last parts tell."""
    return _kind_of(name[-_LONGEST:])


@lru_cache(maxsize=4096)
def _kind_of(name: str) -> Kind:
    words = [word for word in _PARTS.split(_CAMEL.sub("_", name).lower()) if word]
    if "account" in words[:-1] and words[words.index("account") + 1] == "key":
        return Kind.STRONG  # fs.azure.account.key.<host>
    while len(words) > 1 and (words[-1] in _BEHIND or words[-1].isdigit()):
        words.pop()
    if (
        words[-1:] == ["id"]
        and words[-2:-1] == ["key"]
        and words[-3:-2] in (["private"], ["access"])
    ):
        return Kind.STRONG
    if words[-1:] == ["hash"] and words[-2:-1] and words[-2] in _SURE:
        return Kind.STRONG
    if words[-1:] and len(words[-1]) > 1:
        words[-1] = _TAIL.sub("", words[-1]) or words[-1]
    *_, third, before, last = ("", "", "", *words)
    return _kind(last, before, third)


def _kind(last: str, before: str, third: str) -> Kind:
    if last in _SURE or last.endswith(_GLUED) or (third, before, last) == ("mot", "de", "passe"):
        return Kind.STRONG
    if last.endswith("key"):
        glued = last.removesuffix("key")
        if (glued or before) in _KEYS:
            return Kind.STRONG
        return Kind.NONE if glued else Kind.WEAK
    if last.endswith("token"):
        glued = last.removesuffix("token")
        known = glued in _GLUED_TOKENS if glued else before not in _OPEN_TOKENS
        return Kind.STRONG if known else Kind.NONE
    if (last == "tokens" and before in _OPEN_TOKENS) or (last == "pass" and before in _OPEN_PASSES):
        return Kind.NONE
    if last == "pass" and before:
        return Kind.STRONG
    if last == "keys" and before in _KEYS:
        return Kind.STRONG
    if last in ("str", "string", "url", "uri"):
        return _kind_of_address(last, before)
    if last in _OFTEN:
        return Kind.MEDIUM
    return Kind.WEAK if last in _SELDOM else Kind.NONE


def _kind_of_address(last: str, before: str) -> Kind:
    if last in ("str", "string"):
        return Kind.MEDIUM if before in ("conn", "connection") else Kind.NONE
    return Kind.MEDIUM if before in ("webhook", "hook") else Kind.NONE
