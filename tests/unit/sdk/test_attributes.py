"""The keywords of expose: the Mapping's own, and refused in words that name the nearest one."""

from typing import get_type_hints

import pytest

from kfambassador.resources.mapping import Mapping
from kfambassador.sdk.attributes import MappingAttributes, build_mapping


def test_keywords_are_the_mappings_fields() -> None:
    # Types too: what an editor accepts, the Mapping must accept.
    fields = {name: field.annotation for name, field in Mapping.model_fields.items() if name not in {"name", "service"}}
    assert get_type_hints(MappingAttributes) == fields


@pytest.mark.parametrize(
    ("said", "path", "words"),
    [
        ({"timout_ms": 3}, "timout_ms", "did you mean timeout_ms?"),
        ({"timeout_ms": "3"}, "timeout_ms", "expected a whole number, got '3'"),
        ({"timeout_ms": -1}, "timeout_ms", "at least 0, got -1"),
        ({"method": True}, "method", "expected text, got true"),
        ({"headers": {"x-team": 7}}, "headers.x-team", "got 7"),
        ({"add_request_headers": {"kubeflow-userid": "eve"}}, "add_request_headers.kubeflow-userid", "may not set"),
        ({"prefix": "/(?!x)", "prefix_regex": True}, "prefix", "invalid perl operator"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(said: dict[str, object], path: str, words: str) -> None:
    _, faults = build_mapping({"name": "m", "prefix": "/m/", "service": "m", **said})
    assert [fault.path for fault in faults] == [path]
    assert words in faults[0].message
