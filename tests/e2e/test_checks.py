"""What passes the checks, Envoy takes: odd texts in every place of a route, each refused by us or served by Envoy."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from kfambassador.envoy.listeners import ListenerSettings
from kfambassador.envoy.snapshot import Snapshot
from kfambassador.envoy.translate import translate
from kfambassador.problems import has_errors
from kfambassador.resources.meta import SourcedMapping
from tests.builders import compiled, sourced
from tests.xds_gateway import xds_gateway

pytestmark = pytest.mark.e2e

TEXTS = (
    *("", " ", "a", "a b", "é", "\x00", "\r\n", "\t", "\x7f", "%", "%REQ(x)%", "*", "/", "/a", "\\1", "\\", ":path"),
    *("x:y", "host", "a,b", "[", "(", ".*", "http://a", "http://*.a", "null", "#", "?", '"', "connect", "5xx", "1s"),
    *("websocket", "x" * 20_000),
)
PATTERNS = ("a", "(a)", "/(.*)", "[", " ", "\x00", "(a)" * 9, ".*" * 300)
SUBSTITUTIONS = ("", "/", "\\0", "\\1", "\\9", "\\", "\\\\", "\\a", " ", "\n", "é", "%", "?", "x" * 20_000)

Attributes = dict[str, Any]


def group(label: object) -> Attributes:
    return {"labels": {"ambassador": [{"g": [label]}]}}


def error(**body: object) -> Attributes:
    return {"error_response_overrides": [{"on_status_code": 500, "body": body}]}


def with_text(text: str) -> Iterator[Attributes]:
    """A text in each place of a mapping that Envoy reads on a route."""
    yield from ({"retry_policy": {"retry_on": text}}, {"retry_policy": {"retry_on": "5xx", "per_try_timeout": text}})
    yield from ({"cors": {"origins": "*", field: [text]}} for field in ("methods", "headers", "exposed_headers"))
    yield from ({"cors": {"origins": [each]}} for each in (text, {"regex": text}))
    yield {"cors": {"origins": "*", "max_age": text}}
    for field in ("add_request_headers", "add_response_headers"):
        yield from ({field: {text: "v"}}, {field: {"x": text}}, {field: {"x": {"value": text, "append": False}}})
    yield from ({field: [text]} for field in ("remove_request_headers", "remove_response_headers", "allow_upgrade"))
    yield from (group(text), group({text: {"header": "x"}}), group({"k": {"header": text}}))
    yield from (group({"generic_key": {"key": text, "value": text}}), group({"destination_cluster": {"key": text}}))
    yield from ({"rate_limits": [{"descriptor": text}]}, {"rate_limits": [{"headers": [text]}]})
    yield {"auth_context_extensions": {text: text}}
    yield from (error(text_format=text), error(json_format={text: text}), error(text_format="", content_type=text))
    yield from (redirect(**{field: text}) for field in ("path_redirect", "prefix_redirect"))
    yield from ({field: text} for field in ("rewrite", "host_rewrite", "method", "host", "hostname"))
    yield from ({"method": text, "method_regex": True}, {"host": text, "host_regex": True})
    for field in ("headers", "query_parameters"):
        yield from ({field: {text: "x"}}, {field: {"x": text}}, {field: {text: True}}, {f"regex_{field}": {"x": text}})


def redirect(**attributes: object) -> Attributes:
    return {"host_redirect": True, "service": "example.com", **attributes}


def candidates() -> Iterator[Attributes]:
    for text in TEXTS:
        yield from with_text(text)
    for pattern in PATTERNS:
        for substitution in SUBSTITUTIONS:
            given = {"pattern": pattern, "substitution": substitution}
            yield from ({"regex_rewrite": given}, redirect(regex_redirect=given))
    yield from ({"retry_policy": {"retry_on": "5xx", "num_retries": number}} for number in (0, 2**32 - 1, 2**32))
    yield from (group(None), {"cors": {}}, error(), {"add_request_headers": {f"x-{n}": "v" for n in range(1000)}})


def passed() -> Iterator[SourcedMapping]:
    """What passes the checks, each with a path of its own."""
    for number, attributes in enumerate(candidates()):
        try:
            written = sourced(f"m{number}", **{"service": "10.0.0.1:80", **attributes})
        except ValidationError:
            continue
        if not has_errors(compiled(written).problems):
            yield written


def test_envoy_takes_what_passes_the_checks() -> None:
    written = list(passed())
    assert 500 < len(written) < len(list(candidates())) - 500
    served = compiled(*written)
    assert not has_errors(served.problems)
    with xds_gateway(snapshot(generation=1)) as gateway:
        status = gateway.offer(snapshot(*written, generation=2))
    # Envoy's words name what it refuses.
    assert status.rejection is None


def snapshot(*written: SourcedMapping, generation: int) -> Snapshot:
    return translate(replace(compiled(*written).table, generation=generation), ListenerSettings(port=0))
