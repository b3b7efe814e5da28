"""The words by which a secret is known, in one table: who hides one from a store, a log or an error asks here.

A name is taken apart into words in lower case (``HF_TOKEN``, ``dbPassword``), of which the last tells most.
What a word means where, is in :mod:`mltrack_jupyter.privacy.secrets` and in :mod:`mltrack_jupyter.shown`.
"""

# Names of variables, params, columns, keys of dicts, headers.

SURE = frozenset((
    "password", "passwords", "passwd", "passphrase", "passcode", "pwd", "pw", "psw", "passwort", "kennwort",
    "wachtwoord", "senha", "contrasena", "contraseña", "contrasenya", "haslo", "hasło", "parola", "пароль",
    "密码", "パスワード", "secret", "secrets", "credential", "credentials", "creds", "cred", "bearer", "jwt",
    "otp", "totp", "pin", "mnemonic", "sas", "cookie", "cookies", "authorization",
))  # fmt: skip
"""Whatever such a name has for its value is a secret."""
GLUED = ("secret", "password", "passwd", "passphrase")
"""The same, also at the end of a longer word: ``mysecret``."""
OFTEN = frozenset((
    "auth", "auths", "pass", "tokens", "webhook", "salt", "pepper", "sessionid", "sid", "hmac", "dsn",
    "pat",
))  # fmt: skip
"""The value is one if it has a mixture of letters and digits, or signs."""
SELDOM = frozenset(("key", "keys", "session", "signature", "sig", "conn", "connection"))
"""The value is one if it looks as if it was drawn at random."""
DIGITS = ("password", "passwd", "pwd", "passcode", "pin", "otp", "passwort", "kennwort")
"""The value may be made of digits alone."""
KEYS = frozenset((
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
"""In front of "key". A key is mostly a column, or a name in a dict: these tell that it opens something."""
GLUED_TOKENS = frozenset((
    "access", "api", "auth", "bearer", "client", "private", "refresh", "secret", "session",
))  # fmt: skip
"""In front of "token" in one word."""
OPEN_TOKENS = frozenset((
    "added", "audio", "begin", "blank", "boi", "bos", "class", "cls", "current", "curr",
    "decoder", "delimiter", "end", "eod", "eoi", "eom", "eos", "eot", "first", "generated",
    "image", "img", "input", "label", "lang", "language", "last", "mask", "max", "min", "new",
    "newline", "next", "num", "oov", "output", "pad", "padding", "patch", "pool", "pooling", "prev",
    "previous", "sep", "separator", "sot", "source", "special", "split", "src", "start", "stop",
    "suffix", "target", "text", "tgt", "think", "unk", "unknown", "video", "vision", "vocab",
    "word",
))  # fmt: skip
"""In front of "token", which is no secret then: words of a tokenizer, and what is counted or parsed."""
OPEN_PASSES = frozenset((
    "all", "backward", "band", "bypass", "did", "first", "forward", "fwd", "bwd", "high", "last",
    "low", "max", "min", "multi", "num", "n", "one", "second", "single", "two", "by",
))  # fmt: skip
"""In front of "pass", which is no secret then: a pass over data, or of a filter, and what passes."""
BEHIND = frozenset((
    "value", "val", "default", "old", "new", "prod", "dev", "base64", "b64", "plain", "plaintext",
    "raw", "bytes", "hex", "env", "backup", "test", "live", "base",
))  # fmt: skip
"""Behind the word that tells, and say nothing themselves."""

# Names in addresses, in the settings of drivers, and in the environment.

IN_QUERIES = frozenset((
    "sig", "signature", "key", "code", "auth", "session", "sid", "ticket", "hmac", "hash", "sign", "st",
    "x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-goog-signature", "x-goog-credential",
    "awsaccesskeyid", "googleaccessid", "appid", "subscription-key", "k",
))  # fmt: skip
"""Of the query of a URL in a text that is stored, beside the names above."""
MIXED_IN_QUERIES = frozenset(("code", "k", "hash", "st", "session", "key", "auth"))
"""Of these the value must have a mixture of letters and digits, or signs."""
IN_SHOWN_QUERIES = (
    "password", "passwd", "passphrase", r"\bpwd", "secret", "token", "api_?key", "access_?key", "account_?key",
    "credential", "signature", r"\bsig\b",
)  # fmt: skip
"""Patterns, of the query of a URL that is shown: a part of a name is enough."""
SHOWN_SETTINGS = ("(?:ssl)?passwor[dt]", "passwd", "pwd")
"""Patterns, of settings of drivers in a text that is shown: ``password=…``."""
DRIVER_SETTINGS = ("password", "passwd", "sslpassword", "ssl_key_password")
"""What drivers take a secret by, in the query of a database URL."""
IN_VARIABLES = ("TOKEN", "PASSWORD", "USERNAME")
"""Parts of the names of variables of the environment whose values are shown to nobody."""
