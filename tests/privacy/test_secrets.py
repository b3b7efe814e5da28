"""A secret is found in whatever syntax, and ordinary code is left alone: two tables, and what is withheld or cut."""

import time

import pytest
from secret_texts import DRAWN, DRAWN_ONLY, ORDINARY, SYNTAXES, WORD

from mltrack_jupyter import secret_words
from mltrack_jupyter.privacy.redact import REDACTED, redact, redact_cut, redact_value
from mltrack_jupyter.privacy.secrets.files import is_secret_file
from mltrack_jupyter.privacy.secrets.names import Kind, kind_of
from mltrack_jupyter.privacy.secrets.shapes import rules
from mltrack_jupyter.shown import hide_password


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (secret_words.SURE, Kind.STRONG),
        (secret_words.OFTEN, Kind.MEDIUM),
        (secret_words.SELDOM, Kind.WEAK),
        ({f"my_{word}" for word in secret_words.SURE}, Kind.STRONG),
        ({f"{word}_key" for word in secret_words.KEYS}, Kind.STRONG),
        ({f"{word}token" for word in secret_words.GLUED_TOKENS}, Kind.STRONG),
        ({f"{word}_token" for word in secret_words.OPEN_TOKENS}, Kind.NONE),
        ({f"{word}_pass" for word in secret_words.OPEN_PASSES}, Kind.NONE),
        ({f"password_{word}" for word in secret_words.BEHIND}, Kind.STRONG),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_table_of_words_is_what_names_are_told_by(words, kind):
    assert {word for word in words if kind_of(word) is not kind} == set()


@pytest.mark.parametrize("name", [*secret_words.DRIVER_SETTINGS, *secret_words.GLUED, "api_key"])
def test_a_name_of_the_table_hides_its_value_in_what_is_shown(name):
    assert "hunter2" not in hide_password(f"https://example.org/?a=b&{name}=hunter2")
    assert "hunter2" not in redact(f"https://example.org/?a=b&{name}=hunter2")


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("secret", [WORD, DRAWN], ids=["word", "drawn"])
def test_a_secret_in_a_syntax(syntax, secret):
    shown = redact(syntax.replace("@@", secret))
    assert secret not in shown
    assert REDACTED in shown
    assert redact(shown) == shown


@pytest.mark.parametrize("syntax", DRAWN_ONLY)
def test_what_was_drawn_at_random(syntax):
    assert DRAWN not in redact(syntax.replace("@@", DRAWN))


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_code_stays(line):
    assert redact(line) == line


def test_ordinary_code_stays_as_a_whole():
    text = "\n".join(ORDINARY)
    assert redact(text) == text


def test_a_secret_in_parts():
    for code in (
        'p"aaaa1" + "bbbb2"',
        'p"aaaa1" "bbbb2"',
        'p("aaaa1"\n  "bbbb2")',
        'p"".join(["aaaa1", "bbbb2"])',
    ):
        shown = redact(code.replace("p", "password = ", 1))
        assert "aaaa1" not in shown
        assert "bbbb2" not in shown


SERVICES = {
    "a webhook of Slack": "https://hooks.slack.com/services/T000/B000/abcdefgh",
    "of Discord": "https://discord.com/api/webhooks/123/abc-def",
    "of Telegram": "https://api.telegram.org/bot123456:abcdef/send",
    "SendGrid": "SG." + "a1b2c3d4" * 3 + "." + "a1b2c3d4" * 5,
    "Twilio": "SK" + "0a1b2c3d" * 4,
    "npm": "npm_" + "a1B2c3D4e5F6" * 3,
    "Databricks": "dapi" + "0a1b2c3d" * 4,
    "Weights & Biases": "0a1b2c3d4e" * 4,
    "Groq": "gsk_" + "a1B2c3D4e5F6" * 4,
    "NVIDIA": "nvapi-" + "a1B2c3D4e5F6" * 4,
    "DigitalOcean": "dop_v1_" + "0a1b2c3d" * 8,
    "GitLab": "glpat-" + "a1B2c3D4e5F6g7H8i9J0",
    "Shopify": "shpat_" + "0a1b2c3d" * 4,
    "Google": "GOCSPX-" + "a1B2c3D4e5F6g7H8i9J0k1L2",
    "Vault": "hvs." + "a1B2c3D4e5F6" * 8,
    "Postman": "PMAK-" + "0a1b2c3d" * 3 + "-" + "0a1b2c3d" * 4 + "ab",
    "age": "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" + "QPZRY9X8GF2TVDW0S3JN54KHCE",
    "PuTTY": "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 1\nabcd\nPrivate-MAC: 0a1b",
}


@pytest.mark.parametrize("name", SERVICES)
def test_a_key_of_a_service(name):
    key = SERVICES[name]
    for text in (f'"{key}"', f"x('{key}', 1)"):
        assert key[-8:] not in redact(text)


def test_the_rules_of_gitleaks_are_there():
    assert len(rules()) > 200
    assert len({rule.regex for found in rules().values() for rule in found}) > 200


@pytest.mark.parametrize("kind", ["RSA ", "OPENSSH ", "EC ", "ENCRYPTED ", "", "PGP "])
@pytest.mark.parametrize("cut", ["whole", "no end", "no begin"])
def test_a_private_key(kind, cut):
    block = " BLOCK" if kind == "PGP " else ""
    body = "\n".join(["MIIEabcdefghijklmnop" + "a1B2" * 11] * 5)
    key = (
        f"-----BEGIN {kind}PRIVATE KEY{block}-----\n{body}\n-----END {kind}PRIVATE KEY{block}-----"
    )
    text = {
        "whole": f"x = 1\n{key}\ny = 2",
        "no end": f"x = 1\n{key[:200]}",
        "no begin": f"{key[60:]}\ny = 2",
    }[cut]
    shown = redact(text)
    assert "a1B2" not in shown
    assert "abcdefgh" not in shown
    assert ("x = 1" in shown, "y = 2" in shown) == (cut != "no begin", cut != "no end")


WITHHELD = [
    ".env", "a/.env", ".env.production", ".env-local", "prod.env", ".envrc", ".netrc", "_netrc", ".pgpass", ".pypirc", ".npmrc",
    ".git-credentials", ".aws/credentials", "credentials.json", "conf/credentials", ".kube/config", "kubeconfig.yaml",
    ".docker/config.json", "client_secret_12.json", "my-service-account.json", "secrets.yaml", ".streamlit/secrets.toml",
    "db-secret.yaml", "id_rsa", "deploy/id_ed25519", "tls/server.key", "server.pem", "prod.tfvars", "terraform.tfstate", ".htpasswd",
    ".databrickscfg", "kaggle.json", ".my.cnf", "token.json", ".vault-token", "store.p12",
]  # fmt: skip
SHOWN = [
    "train.py", "env.py", "environment.yml", "my.environment", "keys.py", "monkey.py", "secretary.py", "tokenizer.json", "README.md",
    "config.yaml", "test_secrets.py", "secrets_manager.py", "pem.py", "netrc.py", "credentials_test.go",
]  # fmt: skip


@pytest.mark.parametrize("path", WITHHELD)
def test_a_file_of_secrets_is_withheld_whole(path):
    assert is_secret_file(path)
    lines = "@@ -1 +1,2 @@\n-a = old words\n+plain words of any kind\n"
    for head in (
        f"diff --git a/{path} b/{path}\nindex 0a..1b 100644\n--- a/{path}\n+++ b/{path}\n",
        f"diff --git a/{path} b/other\nrename from {path}\nrename to other\n--- a/{path}\n+++ b/other\n",
        f"diff --cc {path}\nindex 0a,1b..2c\n--- a/{path}\n+++ b/{path}\n",
    ):
        after = "diff --git a/b.py b/b.py\n--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n+depth = 3\n"
        shown = redact(head + lines + after)
        assert shown == f"{head}{REDACTED}\n{after}"
        assert redact(shown) == shown
    assert "words" not in redact(f"%%writefile {path}\n{lines}")
    assert "words" not in redact(f"cat > {path} <<EOF\nplain words\nEOF\n")


@pytest.mark.parametrize("path", SHOWN)
def test_other_files_are_shown(path):
    assert not is_secret_file(path)
    diff = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n+depth = 3\n"
    assert redact(diff) == diff
    assert redact(f"%%writefile {path}\ndepth = 3") == f"%%writefile {path}\ndepth = 3"


@pytest.mark.parametrize("keep_end", [False, True])
@pytest.mark.parametrize(
    "secret", [f"token = '{WORD}'", f"ghp_{'a1B2' * 9}", f"password={WORD};", f"x@{DRAWN}"]
)
def test_a_text_is_redacted_before_it_is_cut(secret, keep_end):
    parts = [
        secret[at : at + 6]
        for at in range(len(secret) - 6)
        if any(map(str.isdigit, secret[at : at + 6]))
    ]
    for most in (60, 500):
        for place in range(0, 60, 3):
            filler = "depth = width\n" * 1000
            at = most - place
            text = (
                f"{filler[:at]}\n{secret}\n{filler}"
                if not keep_end
                else f"{filler}\n{secret}\n{filler[:at]}"
            )
            shown = redact_cut(text, most, keep_end=keep_end)
            assert len(shown) <= most
            assert not [part for part in parts if part in shown]


def test_a_short_text_is_not_cut():
    assert redact_cut("depth = 3", 9) == "depth = 3"
    assert redact_cut("depth = 3", 8) == "depth =…"
    assert redact_cut("depth = 3", 8, keep_end=True) == "…pth = 3"
    assert redact_cut("token = 'abcdef'" * 1000, 100, mark="!")[-1] == "!"
    assert len(redact_cut("a" * 1_000_000, 10)) == 10


@pytest.mark.parametrize("name", ["password", "db.password", "api_key", "APIKEY", "secret", "db_pass", "pw", "creds", "bearer", "otp",
                                  "private_key_id", "access_key_id", "userPassword", "mot_de_passe", "password2", "DB_PASSWORD_OLD"])  # fmt: skip
def test_a_param_whose_name_tells(name):
    assert kind_of(name) is Kind.STRONG
    assert redact_value(name, "abc") == REDACTED


@pytest.mark.parametrize(
    "name",
    [
        "key",
        "auth",
        "session",
        "signature",
        "conn_str",
        "dsn",
        "webhook",
        "cookie",
        "pass",
        "tokens",
    ],
)
def test_a_param_whose_name_may_tell(name):
    assert redact_value(name, DRAWN) == REDACTED


@pytest.mark.parametrize("name", ["max_tokens", "n_tokens", "tokenizer", "sort_key", "forward_pass", "author", "keyboard", "passes", "secretary",
                                  "token_type", "password_file", "key_size", "authors", "compass", "bypass", "n_keys"])  # fmt: skip
def test_a_param_whose_name_does_not_tell(name):
    assert redact_value(name, "5") == "5"
    assert redact_value(name, "adam") == "adam"
    assert redact_value(name, "512000") == "512000"


PIECES = [
    "linear = ", "mysql -p ", "curl -u ", "token='", '"token", ', "login(", "OpenAI('", "?a=b&", "-----BEGIN PRIVATE KEY-----",
    "PuTTY-User-Key-File-2:\n", "%env A ", "docker login -p ", "passwords:\n - a\n", "diff --git a/.env b/.env\n", "cat <<EOF > .env\n",
    "a1B2c3D4e5F6g7H8", "token = '''", "token = [", "a=b;password=", "IDENTIFIED BY ", "add_argument('--token', ", "{'token': {'a':",
    "q7Zt3kP9wLx2VbN8 ", "token: |\n  a\n", "ops_eyJ", "machine h login u password ",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_four_times_the_text_takes_no_more_than_its_share(piece):
    def seconds(size):
        text = piece * (size // len(piece))
        start = time.process_time()
        redact(text)
        return time.process_time() - start

    # Were it the square, it would be sixteen times as long.
    assert seconds(200_000) < 9 * max(seconds(50_000), 0.05)


def test_each_rule_takes_time_in_proportion():
    def seconds(rule, word, count):
        text = f"{word} = " * count + word * count
        start = time.process_time()
        rule.spans(text)
        return time.process_time() - start

    for word, found in rules().items():
        for rule in found:
            long = seconds(rule, word, 2_000)
            assert long < 0.2 or long < 9 * max(seconds(rule, word, 500), 0.05), rule.regex
