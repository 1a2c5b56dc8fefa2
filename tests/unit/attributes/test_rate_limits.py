"""What a rate limit service is told of a request."""

from typing import Any

import pytest
from pydantic import ValidationError

from kfambassador.attributes.rate_limits import Label
from kfambassador.envoy.protos import MessageToDict
from kfambassador.resources.validation import describe_refusals
from tests.builders import mapping
from tests.unit.attributes.messages import route_of


def questions_of(**attributes: object) -> list[list[dict[str, Any]]]:
    """The actions of each question."""
    message = route_of(**attributes)
    return [MessageToDict(each, preserving_proto_field_name=True)["actions"] for each in message.route.rate_limits]


def test_nothing_is_told_unless_somebody_says_so() -> None:
    assert questions_of() == []


@pytest.mark.parametrize(
    ("label", "action"),
    [
        ("source_cluster", {"source_cluster": {}}),
        ("destination_cluster", {"destination_cluster": {}}),
        ("remote_address", {"remote_address": {}}),
        ("a word", {"generic_key": {"descriptor_value": "a word"}}),
        ({"generic_key": "a word"}, {"generic_key": {"descriptor_value": "a word"}}),
        ({"remote_address": None}, {"remote_address": {}}),
        (
            {"team": {"header": "x-team"}},
            {"request_headers": {"header_name": "x-team", "descriptor_key": "team"}},
        ),
        (
            {"team": {"header": "x-team", "omit_if_not_present": True}},
            {"request_headers": {"header_name": "x-team", "descriptor_key": "team", "skip_if_absent": True}},
        ),
        # A header's label may be called as a word of v3alpha1 is.
        (
            {"generic_key": {"header": "x-team"}},
            {"request_headers": {"header_name": "x-team", "descriptor_key": "generic_key"}},
        ),
        ({"source_cluster": {"key": "source_cluster"}}, {"source_cluster": {}}),
        ({"destination_cluster": {"key": "destination_cluster"}}, {"destination_cluster": {}}),
        ({"remote_address": {"key": "remote_address"}}, {"remote_address": {}}),
        ({"generic_key": {"value": "v"}}, {"generic_key": {"descriptor_value": "v"}}),
        (
            {"generic_key": {"key": "k", "value": "v"}},
            {"generic_key": {"descriptor_key": "k", "descriptor_value": "v"}},
        ),
        (
            {"request_headers": {"key": "k", "header_name": "x-h"}},
            {"request_headers": {"header_name": "x-h", "descriptor_key": "k"}},
        ),
    ],
)
def test_a_label_of_any_version(label: object, action: dict[str, Any]) -> None:
    assert questions_of(labels={"ambassador": [{"group": [label]}]}) == [[action]]


def test_a_destination_by_another_name_is_told_as_text() -> None:
    message = route_of(labels={"ambassador": [{"group": [{"destination_cluster": {"key": "where"}}]}]})
    (action,) = message.route.rate_limits[0].actions
    assert action.generic_key.descriptor_key == "where"
    assert action.generic_key.descriptor_value == message.route.cluster


def test_each_group_is_a_question() -> None:
    questions = questions_of(labels={"ambassador": [{"one": ["a", "b"]}, {"two": "c", "three": []}]})
    assert [[each["generic_key"]["descriptor_value"] for each in actions] for actions in questions] == [
        ["a", "b"],
        ["c"],
    ]


def test_a_rule_of_v0_is_a_question_that_says_where_a_request_comes_from() -> None:
    built_in: list[dict[str, Any]] = [{"source_cluster": {}}, {"destination_cluster": {}}, {"remote_address": {}}]
    header = {"request_headers": {"header_name": "x-h", "descriptor_key": "x-h"}}
    assert questions_of(rate_limits=[{"descriptor": "d", "headers": ["x-h"]}, {}]) == [
        [*built_in, {"generic_key": {"descriptor_value": "d"}}, header],
        built_in,
    ]


def test_rules_stand_beside_labels() -> None:
    assert len(questions_of(rate_limits=[{}], labels={"ambassador": [{"g": ["a"]}]})) == 2


@pytest.mark.parametrize(
    ("labels", "path"),
    [
        ("word", "labels"),
        ({"ambassador": [7]}, "labels.ambassador[0]"),
        ({"ambassador": [{"g": [{}]}]}, "labels.ambassador[0].g[0]"),
        ({"ambassador": [{"g": [7]}]}, "labels.ambassador[0].g[0]"),
        ({"ambassador": [{"g": [""]}]}, "labels.ambassador[0].g[0]"),
        ({"ambassador": [{"g": [{"a": {}, "b": {}}]}]}, "labels.ambassador[0].g[0].a"),
        ({"ambassador": [{"g": [{"k": {"header": 7}}]}]}, "labels.ambassador[0].g[0]"),
    ],
)
def test_what_is_no_label_is_refused_with_its_place(labels: object, path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        mapping(labels=labels)
    assert describe_refusals(caught.value, {"labels": labels})[0].path == path


def test_a_label_is_one_thing() -> None:
    with pytest.raises(ValidationError, match="an object with one of source_cluster"):
        Label.model_validate({"remote_address": {}, "source_cluster": {}})
