"""Secrets are found; what only looks like one is left."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltrack_jupyter.tracking.redact import REDACTED, redact, redact_value


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
    ],
)
def test_what_is_assigned_to_a_telling_name(code):
    assert "hidden" not in redact(code)
    assert REDACTED in redact(code)


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
    ],
)
def test_what_is_no_secret_stays(code):
    assert redact(code) == code


def test_by_name():
    assert redact_value("api_key", "abc") == REDACTED
    assert redact_value("model.token", "abc") == REDACTED
    assert redact_value("token", "None") == "None"
    assert redact_value("depth", "3") == "3"
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
