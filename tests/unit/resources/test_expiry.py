"""Until when configuration is served, as it is written and as it is heeded."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from kfambassador.names import EXPIRES_ANNOTATION, EXPOSURE_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL
from kfambassador.problems import ObjectKey, Severity
from kfambassador.resources.expiry import read_expiry, read_moment, write_moment
from kfambassador.resources.meta import ResourceSet
from kfambassador.resources.objects import join_contributions, read_contribution
from tests.builders import Manifest, document, service

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TEXT = "2026-11-26T12:00:00Z"
KEY = ObjectKey("Service", "default", "m")
NOTE = {EXPOSURE_ANNOTATION: json.dumps({"documents": ["a"]})}
OURS = {MANAGED_BY_LABEL: MANAGED_BY}


def carrier(
    expires: object = TEXT, *, annotations: dict[str, str] | None = None, labels: dict[str, str] | None = None
) -> Manifest:
    """A Service that carries the mappings a and b, and says until when."""
    manifest = service("m", "default", document("a"), document("b"))
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    metadata["annotations"] |= {EXPIRES_ANNOTATION: expires, **(annotations or {})}
    metadata["labels"] = labels or {}
    return manifest


def known(manifest: Manifest, now: datetime | None) -> ResourceSet:
    return join_contributions([read_contribution(manifest)], now=now)


def names(resources: ResourceSet) -> list[str]:
    return [sourced.mapping.name for sourced in resources.mappings]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (TEXT, NOON),
        ("2026-11-26t12:00:00z", NOON),
        ("2026-11-26 12:00:00Z", NOON),
        ("2026-11-26T12:00:00.5Z", NOON + timedelta(seconds=0.5)),
        ("2026-11-26T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
        ("2026-11-26T14:00:00+02:00", NOON),
        ("2026-11-26T06:30:00-05:30", NOON),
        ("2026-11-26T12:00:00", None),  # whose noon?
        ("2026-11-26T12:00Z", None),
        ("2026-11-26", None),
        ("2026-W48-4T12:00:00Z", None),
        ("2026-02-30T12:00:00Z", None),
        ("2026-11-26T25:00:00Z", None),
        ("2026-11-26T12:00:60Z", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("٢٠٢٦-11-26T12:00:00Z", None),
        ("1764158400", None),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_moments(text: str, moment: datetime | None) -> None:
    assert read_moment(text) == moment


def test_a_moment_is_written_as_it_is_read() -> None:
    assert write_moment(NOON) == TEXT
    assert write_moment(NOON.astimezone(timezone(timedelta(hours=5)))) == TEXT
    assert read_moment(write_moment(NOON + timedelta(microseconds=7))) == NOON


@pytest.mark.parametrize(
    ("now", "served"),
    [
        (None, ["a", "b"]),
        (NOON - timedelta(seconds=1), ["a", "b"]),
        (NOON, []),
        (NOON + timedelta(days=1), []),
    ],
    ids=["no clock", "before", "at the moment", "after"],
)
def test_mappings_are_served_until_the_moment(now: datetime | None, served: list[str]) -> None:
    resources = known(carrier(), now)
    assert names(resources) == served
    assert resources.expiries == {KEY: NOON}
    assert resources.expired == (frozenset() if served else {KEY})
    assert KEY in resources.sources
    assert len(resources.services) == 1


def test_what_expired_is_told_of_once_with_what_to_do() -> None:
    [problem] = known(carrier(), NOON).problems
    assert (problem.code, problem.path, problem.severity) == ("expired", EXPIRES_ANNOTATION, Severity.ERROR)
    assert problem.origin.object == KEY
    assert problem.message == (
        f"it expired at {TEXT} and is no longer served; write a later time to renew it, or delete Service default/m"
    )


@pytest.mark.parametrize("written", ["tomorrow", "", "2026-11-26", 5])
def test_a_typo_takes_no_route_away_and_is_told_of(written: object) -> None:
    resources = known(carrier(written), NOON + timedelta(days=10_000))
    assert names(resources) == ["a", "b"]
    assert resources.expiries == {}
    [problem] = resources.problems
    assert (problem.code, problem.path, problem.severity) == ("unreadable-time", EXPIRES_ANNOTATION, Severity.WARNING)


@pytest.mark.parametrize(
    ("annotations", "labels", "served"),
    [
        ({}, {}, []),
        ({}, OURS, []),
        (NOTE, {}, ["b"]),
        (NOTE, OURS, []),
        ({EXPOSURE_ANNOTATION: "{}"}, OURS, []),
        ({EXPOSURE_ANNOTATION: '{"documents": []}'}, {}, ["a", "b"]),
        ({EXPOSURE_ANNOTATION: '{"documents": ["c"]}'}, {}, ["a", "b"]),
    ],
    ids=["by hand", "ours by hand", "beside others", "ours", "ours without names", "nothing of it", "not there"],
)
def test_other_peoples_documents_stay(annotations: dict[str, str], labels: dict[str, str], served: list[str]) -> None:
    resources = known(carrier(annotations=annotations, labels=labels), NOON)
    assert names(resources) == served
    assert [problem.code for problem in resources.problems] == ([] if len(served) == 2 else ["expired"])


@pytest.mark.parametrize("note", ["{}", "not JSON", "[]", '{"documents": "a"}', "[" * 100_000])
def test_a_note_that_does_not_say_whose_documents_they_are_takes_nothing_away(note: str) -> None:
    resources = known(carrier(annotations={EXPOSURE_ANNOTATION: note}), NOON)
    assert names(resources) == ["a", "b"]
    [problem] = resources.problems
    assert (problem.code, problem.severity) == ("unclear-expiry", Severity.WARNING)


def test_an_ingress_expires_as_well() -> None:
    resources = known({**carrier(), "apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}, NOON)
    assert names(resources) == []
    assert resources.expired == {ObjectKey("Ingress", "default", "m")}


def test_a_custom_resource_expires_as_well() -> None:
    manifest: Manifest = {
        "apiVersion": "getambassador.io/v2",
        "kind": "Mapping",
        "metadata": {"name": "m", "namespace": "team", "annotations": {EXPIRES_ANNOTATION: TEXT}},
        "spec": {"prefix": "/m/", "service": "m"},
    }
    assert names(known(manifest, NOON - timedelta(seconds=1))) == ["m"]
    resources = known(manifest, NOON)
    assert names(resources) == []
    assert "delete Mapping team/m" in resources.problems[0].message


def test_what_is_said_for_everybody_stays() -> None:
    shared: Manifest = {
        "apiVersion": "ambassador/v1",
        "kind": "AuthService",
        "name": "guard",
        "auth_service": "127.0.0.1:1",
    }
    manifest = service("m", "default", document("a"), shared)
    metadata = manifest["metadata"]
    assert isinstance(metadata, dict)
    metadata["annotations"] |= {EXPIRES_ANNOTATION: TEXT}
    resources = known(manifest, NOON)
    assert names(resources) == []
    assert [each.resource.name for each in resources.shared] == ["guard"]


def test_an_object_that_configures_nothing_has_nothing_to_expire() -> None:
    manifest = service("m")
    manifest["metadata"] = {"name": "m", "annotations": {EXPIRES_ANNOTATION: "nonsense"}}
    assert known(manifest, NOON).problems == ()


def test_an_object_may_have_no_annotations_at_all() -> None:
    assert read_expiry({"annotations": None}) is None
