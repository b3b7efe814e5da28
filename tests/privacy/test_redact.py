"""Secrets are found; what only looks like one is left."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrack_jupyter.privacy.redact import REDACTED, redact, redact_items, redact_value


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1_" * 10,
        "sk-" + "proj-" + "abcd1234" * 4,
        "hf_" + "aB" * 15,
        "xoxb-" + "123456789012",
        "eyJhbGciOiJI." + "eyJzdWIiOiIxMjM0." + "sflKxwRJ-_s",
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_keys_of_known_shapes(secret):
    for text in (secret, f"x = '{secret}'", f"f({secret!r}, 1)", f"# {secret}"):
        assert REDACTED in redact(text)
        assert secret not in redact(text)
        assert secret[8:20] not in redact(text)


@pytest.mark.parametrize(
    "code",
    [
        "API_KEY = 'hidden one'",
        'db_password: str = "hidden one"',
        "os.environ['HF_TOKEN'] = 'hidden one'",
        "{'client_secret': 'hidden one'}",
        "login(token='hidden one')",
        "password = r'''hidden one'''",
        'password = f"hidden one"',
        "pwd='hidden \\' one'",
        "%env WANDB_API_KEY=hidden_one",
        "!export AWS_SECRET=hidden_one",
        "headers = {'Authorization': 'Bearer hidden_one_hidden'}",
        "postgresql://me:hidden@host/db",
        "https://hidden@example.org",
        "postgresql://me:hid@hidden@host/db",
        "url = 'https://example.org/o/r.git?private_token=hidden1'",
        "self._token = 'hidden one'",
        "password: Optional[str] = 'hidden one'",
        "{'aws_secret_key': 'hidden one', 'openaiApiKey': 'hidden two'}",
        "PGPASSWORD='hidden one'",
        "!env=1\n!curl -d token=hidden1abc https://example.org",
        "%%bash\npython train.py --api-key=hiddenabc",
    ],
)
def test_what_is_assigned_to_a_telling_name(code):
    assert "hidden" not in redact(code)
    assert REDACTED in redact(code)


@pytest.mark.parametrize("sign", ["+", "-", " "])
@pytest.mark.parametrize(
    "line",
    [
        "api_key = 'hidden123'",
        "password = 'hidden123'",
        '    HF_TOKEN = "hidden123"',
        "DB_PASSWORD=hidden2secret",
        "API_KEY=hiddensecret",
        "DB_PASSWORD=hidden(2)&hidden",
        "export AWS_SECRET=hidden_one",
        "password: yamlhidden2secret",
        "  - token: hidden2secret",
        "db: {user: me, password: hidden2secret}",
        "aws_secret_access_key = hidden/K7MDENG/bPxRfiCYEXAMPLEKEY",
        # A notebook is JSON: its quotes are escaped.
        r'    "api_key = \"hidden123\"\n",',
        r'    "login(token=\"hidden123\", depth=3)\n",',
        r'    "os.environ[\"DB_PASSWORD\"] = \"hidden123\"\n",',
        r'    "password = \"hidden\\\"hidden\"\n",',
        r'    "password = \"\"\"hidden\"\"\"\n",',
        r'    "source": "x = 1\napi_key = \"hidden123\"\ny = 2",',
        r'    "d = {\"token\": \"hidden123\"}"',
        r'    "api_key = \'hidden123\'\n",',
        r'    "%env API_KEY=hidden123\n",',
        r'    "text": "{\\\"token\\\": \\\"hidden123\\\"}"',
    ],
)
def test_lines_of_a_diff(sign, line):
    diff = f"@@ -1,2 +1,2 @@\n depth = 3\n{sign}{line}\n+width = 4\n"
    shown = redact(diff)
    assert "hidden" not in shown
    assert REDACTED in shown
    assert shown.startswith(f"@@ -1,2 +1,2 @@\n depth = 3\n{sign}")
    assert shown.endswith("\n+width = 4\n")


def test_a_diff_of_a_notebook_is_json_still():
    line = r'    "api_key = \"nbsecretvalue123\"\n",'
    assert redact(f"+{line}") == rf'+    "api_key = \"{REDACTED}\"\n",'
    line = r'    "%env API_KEY=nbsecretvalue123\n",'
    assert redact(f"+{line}") == rf'+    "%env API_KEY={REDACTED}\n",'


@pytest.mark.parametrize(
    "path",
    ["a/config.yaml", "b.yml", "setup.ini", "x.properties", "pyproject.toml", "k8s.json"],
)
def test_files_of_settings_have_words_as_secrets(path):
    head = f"diff --git a/{path} b/{path}\n+++ b/{path}\n"
    lines = [
        "password: hidden",
        "+db_password=hidden",
        "-x.token = hidden words # why",
        "+depth: 3",
    ]
    shown = redact(head + "\n".join(lines))
    assert "hidden" not in shown
    assert "-x.token = [redacted] # why\n+depth: 3" in shown
    for kept in ("+password: ${WORD}", "+token: null", "+api_key:", "+password: !vault |"):
        assert redact(head + kept) == head + kept
    other = "\ndiff --git a/a.py b/a.py\n+password: hidden\n"
    assert redact(head + other) == head + other


@pytest.mark.parametrize(
    "code",
    [
        "key = 'petal'",
        "sorted(x, key='a')",
        "sort_key = 'a'; primary_key='id'",
        "pad_token = '<pad>'; eos_token='</s>'",
        "max_tokens = 100",
        "tokenizer = 'bert'",
        "url = 'https://example.org/a@b'",
        "email = 'a@example.org'",
        "monkey = 'x'",
        "token = get_token()",
        "password = ''",
        "if token == 'x': pass",
        "password: str",
        "def f(token: str, password: SecretStr = None, api_key: Optional[str] = None): pass",
        "    token: str,\n    secret_key: bytes32\n    api_key: pydantic.SecretStr",
        "password = None",
        "token = tokens[0]",
        "access_token = access_token_v2",
        "secret = settings.secret2key.value",
        "TOKEN=get_token()",
        "API_KEY=os.environ['API_KEY']",
        "TOKEN=config.token",
        "!export TOKEN=$OTHER_TOKEN",
        "token = 1234567890",
        "api_key = 0x1234abcd5678",
        "token = 1_000_000.5e-10",
        "ssh_key = ~/.ssh/id2rsa_key",
        "token: the token of a user",
        "+    token = get2token(a)\n-    token=other_token,",
        "f(token=hf_token, key=jax_key)",
        "target_key = 'y'; label_key='y'; batch_key = 'b'; text_key='t'; image_key = 'image'",
        "rng_key = 'a'; monitor_key: str = 'val_loss'; state['dropout_key'] = 'x'; textKey = 'text'",
        "start_token = '<s>'; decoder_start_token='<s>'; pad_token = '<p>'; eosToken='</s>'",
        "{'unk_token': '<unk>', \"bos_token\": \"<s>\", 'target_key': 'y'}",
        "+  pad_token: extra2id3token",
    ],
)
def test_what_is_no_secret_stays(code):
    assert redact(code) == code


def test_by_name():
    assert redact_value("api_key", "abc") == REDACTED
    assert redact_value("model.token", "abc") == REDACTED
    assert redact_value("token", "None") == "None"
    assert redact_value("depth", "3") == "3"
    for name in ("hf_token", "github_token", "access_token", "secret_access_key", "dbPassword"):
        assert redact_value(name, "abc") == REDACTED
    for name in ("target_key", "batch_key", "rng_key", "pad_token", "decoder_start_token", "key"):
        assert redact_value(name, "abc") == "abc"
    assert redact_value("url", "http://a:b@c/") == f"http://{REDACTED}@c/"


pieces = st.sampled_from(
    [
        "api_key",
        "=",
        "'",
        '"',
        "'''",
        "token",
        ":",
        " ",
        "\n",
        "sk-" + "a" * 20,
        "https://",
        "me:pw@h",
        "Bearer ",
        "abcdefghijklmnop",
        "[redacted]",
        "%env ",
        "PASSWORD=",
        "\\",
        "]",
        "AKIA" + "A" * 16,
        '\\"',
        "+",
        "-",
        ": ",
        "a1b2c3d4",
        "?",
        "diff --git a/.env b/.env\n",
    ]
)


@given(st.lists(pieces, max_size=14).map("".join) | st.text(max_size=80))
@settings(max_examples=500)
def test_twice_is_once(text):
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "text", ["a_" * 50_000, "key=" * 25_000, "'" * 50_000, "ey" * 50_000, "a://" * 25_000]
)
def test_it_takes_no_time(text):
    start = time.perf_counter()
    redact(text)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "piece",
    [
        "ACGT-AC-", "a.b.", "a+b.c-", "abc", "a_", "token ", "x.token", "ey-", "eyabcdefgh.", "key=", "-",
        " ", "token=a1", "token:b1\\", "a://b", "a@", "Bearer ", "://:@", "password = \\", '\\"', "='",
        "-----BEGIN A", "-----END A", "?token=", "{'token':", "api_key: a", "token: (", "A-TOKEN=(",
    ],
)  # fmt: skip
def test_a_line_of_a_megabyte(piece):
    line = piece * (1_000_000 // len(piece))
    shown = redact(f"first\n{line}\napi_key = 'oldsecret123'\n")
    assert shown.startswith("first\n")
    assert "oldsecret123" not in shown


@pytest.mark.parametrize(
    "head", ["token", "token =", "token:", "token: str", "Bearer", "'token'] "]
)
def test_a_megabyte_of_spaces(head):
    text = head + " " * 1_000_000 + "x"
    assert redact(text) == text


def test_a_string_that_does_not_end_is_looked_at_once():
    text = "token = '" + r"\a" * 100_000
    assert redact(text) == text


def test_items_under_the_name_of_a_secret():
    given = {"token": ["one", None, ""], "n": [1, True], "in": ({"password": 7, "max_token": 5},)}
    assert redact_items("params", given) == {
        "token": [REDACTED, None, ""],
        "n": [1, True],
        "in": ({"password": REDACTED, "max_token": 5},),
    }
    assert redact_items("a/api_key", "one") == REDACTED
    assert redact_items("api_key", given) is not given


def test_what_holds_itself_is_gone_into_only_so_far():
    given = {"token": "one"}
    given["more"] = given
    assert "'token': '[redacted]'" in str(redact_items("", given))
