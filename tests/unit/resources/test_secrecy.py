"""What may be a secret is left out of what is shown, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kfambassador.resources.documents import read_documents, write_documents
from kfambassador.resources.secrecy import HIDDEN, hide_forms, hide_message, hide_text, hide_values, is_secret_name

CANARY = "Tweety-7"

PLACES = {
    "a header that is added": f"add_request_headers: {{x-any: {CANARY}}}",
    "with its form": f"add_response_headers:\n  x-any:\n    append: false\n    value: '{CANARY}'",
    "over several lines": f"add_request_headers:\n  x-any: |\n    {CANARY}\n    {CANARY}",
    "folded": f"add_request_headers:\n  x-any: >-\n    a\n\n    {CANARY}\nprefix: /m/",
    "plain over lines": f"add_request_headers:\n  x-any: a\n    {CANARY}\n    b",
    "a condition on a token": f"headers: {{Authorization: '{CANARY}'}}",
    "an expression for one": f"regex_headers:\n  x-api-key: {CANARY}.*",
    "a parameter": f"query_parameters: {{access_token: {CANARY}}}",
    "said to who authorizes": f"auth_context_extensions: {{any: {CANARY}}}",
    "in a Module": f"config:\n  defaults:\n    httpmapping:\n      add_request_headers: {{x: {CANARY}}}",
    "in a resource": f"spec:\n  add_request_headers: {{x: {CANARY}}}",
    "in an address": f"service: https://ana:{CANARY}@models:443",
    "a password of nobody's": f"password: {CANARY}",
    "a key": f"note: |\n  -----BEGIN PRIVATE KEY-----\n  {CANARY}\n  -----END PRIVATE KEY-----\nprefix: /m/",
    "a bearer's": f"note: Bearer {CANARY}-0123456789",
    "in a comment": f"prefix: /m/ # token: {CANARY}\n# password: {CANARY}",
    "unread": f"headers: {{x-token: {CANARY}",
    "unread, added": f"add_request_headers:\n- x-any: [{CANARY}\n\n  more: {CANARY}",
    "unread, in one line": f"{{add_request_headers: {{x-any: {CANARY}}}, prefix: [",
    "in quotes": f'{{"add_request_headers": {{"x-any": "{CANARY}"}}}}',
    "unread in quotes": f'{{"add_request_headers": {{"x-any": "{CANARY}"}}',
}


@pytest.mark.parametrize("before", ["", "kind: Mapping\n---\n", "---\n", "--- \n--- "], ids=repr)
@pytest.mark.parametrize("text", PLACES.values(), ids=PLACES)
def test_a_secret_is_left_out_wherever_it_stands(text: str, before: str) -> None:
    hidden = hide_text(before + text)
    assert CANARY not in hidden
    assert HIDDEN in hidden
    # Lines keep their numbers: problems stand beside them.
    assert hidden.count("\n") == (before + text).count("\n")


PLAIN = """---
# the model's own route
apiVersion: ambassador/v1
kind: Mapping
name: m
prefix: /models/
headers: {x-model-variant: canary, x-any: true}
regex_headers: {x-team: 'a.*'}
cors: {origins: "https://a.example", credentials: true}
labels: {ambassador: [{group: [{generic_key: {value: g}}]}]}
remove_request_headers: [authorization]
bypass_auth: true
service: https://models:443
---
apiVersion: ambassador/v2
kind: TLSContext
name: upstream
secret: certificate
ca_secret: authorities
secret_namespacing: false
---
kind: [
"""


def test_what_is_no_secret_is_shown_as_it_was_written() -> None:
    assert hide_text(PLAIN) == PLAIN
    for document in read_documents(PLAIN):
        assert hide_values(document.value) == document.value


def test_what_stands_beside_a_secret_is_shown() -> None:
    text = "a: 1\nadd_request_headers: {x: 'it''s', \"y\": b} # why\nprefix: é\n"
    assert hide_text(text) == f'a: 1\nadd_request_headers: {{x: {HIDDEN}, "y": {HIDDEN}}} # why\nprefix: é\n'


@given(st.text(alphabet="aZ09-_ :#'\"{}[]|>\n\té•%&*!", min_size=1, max_size=40))
def test_no_spelling_of_a_value_gets_through(value: str) -> None:
    written = write_documents({"prefix": "/m/", "add_request_headers": {"x": f"{CANARY}{value}{CANARY}"}, "name": "m"})
    hidden = hide_text(written)
    assert CANARY not in hidden
    assert hidden.count("\n") == written.count("\n")
    assert hidden.startswith("prefix: /m/\n")
    assert hidden.endswith("name: m\n")


def test_messages_quote_no_secret() -> None:
    message = f"expected text, got '{CANARY}' and \"{CANARY}\""
    for path in (
        "add_request_headers.x",
        "headers.x-token",
        "headers.x.auth.y",
        "query_parameters.api_key",
        "password",
    ):
        assert CANARY not in hide_message(message, path)
    for path in ("prefix", "headers.x-variant", "", "labels.key[0]"):
        assert hide_message(message, path) == message


def test_forms_of_secrets_in_any_text() -> None:
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2ln"
    text = f"it said {jwt} and basic QW5hOmFuYQ== and\n-----BEGIN CERTIFICATE-----\nabc"
    assert hide_forms(text) == f"it said {HIDDEN} and basic {HIDDEN} and\n{HIDDEN}"
    assert hide_forms("user@example.com https://a.example/@x") == "user@example.com https://a.example/@x"


def test_a_password_is_left_out_where_a_part_of_its_address_is_quoted() -> None:
    told = f"'{CANARY}@models:1' in 'https://ana:{CANARY}@models:1' is no port; write a number"
    assert (
        hide_message(told, "service")
        == f"'{HIDDEN}@models:1' in 'https://{HIDDEN}@models:1' is no port; write a number"
    )


def test_names_of_secrets() -> None:
    secret = ("cookie", "Proxy-Authorization", "X-Auth-Token", "access_key", "sig", "x-goog-signature", "KEY")
    assert [is_secret_name(name) for name in secret] == [True] * len(secret)
    plain = ("x-model", "accept", "content-type", "authority", "keyboard", "x-tokens-used", ":method")
    assert [is_secret_name(name) for name in plain] == [False] * len(plain)
