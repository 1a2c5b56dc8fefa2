"""What Events say."""

from dataclasses import replace

from kfambassador.controller.reporting.events import MENDED, MOST, Remark, Subject, name_event, remark, write_event
from kfambassador.problems import Fault, Origin, Severity
from tests.unit.controller.reporting.rigs import TIME, conflict, key, mistake

SUBJECT = Subject(key("iris"), "v1", "uid-1", "7")
TOLD = Remark("Warning", "WrongType", "annotation document 1: weight: expected a number", "metadata.annotations['a']")


def test_a_problem_in_an_annotation_names_the_document_the_field_and_the_annotation() -> None:
    [told] = remark([mistake(document=2)])
    assert told == Remark(
        "Warning",
        "WrongType",
        "annotation document 2: weight: expected a number",
        "metadata.annotations['getambassador.io/config']",
    )


def test_a_problem_in_a_custom_resource_names_the_field_in_its_spec() -> None:
    fault = Fault("wrong-type", "expected text", path="cors.origins[2]")
    [told] = remark([fault.at(Origin(key()))])
    assert (told.message, told.field) == ("cors.origins[2]: expected text", "spec.cors.origins[2]")
    [of_object] = remark([Fault("wrong-type", "expected text", path="spec.prefix").at(Origin(key()))])
    assert of_object.field == "spec.prefix"
    [whole] = remark([conflict()])
    assert (whole.message, whole.field) == ("taken", "spec")


def test_a_problem_in_another_annotation_names_that_one() -> None:
    fault = Fault("expired", "its time is up", path="kfambassador/expires-at")
    [told] = remark([fault.at(Origin(key()))])
    assert told.field == "metadata.annotations['kfambassador/expires-at']"


def test_what_several_documents_have_in_common_is_told_once() -> None:
    [told] = remark([mistake(document=number) for number in (4, 1, 2)])
    assert told.message.startswith("annotation documents 1, 2 and 4: ")


def test_notices_and_what_comes_and_goes_are_not_told() -> None:
    notice = replace(mistake(), severity=Severity.NOTICE)
    passing = replace(mistake(), code="no-endpoints", severity=Severity.WARNING)
    assert remark([notice, passing]) == ()


def test_errors_come_first_and_the_last_one_says_how_many_more_there_are() -> None:
    warnings = [replace(mistake(words=f"w{number}"), severity=Severity.WARNING) for number in range(20)]
    told = remark([*warnings, mistake(words="error")])
    assert len(told) == MOST
    assert told[0].message.endswith("error")
    assert told[-1].reason == "MoreProblems"
    assert told[-1].message.startswith("and 12 more problems")


def test_a_message_is_never_longer_than_an_event_may_say() -> None:
    [told] = remark([mistake(words="x" * 5000)])
    assert len(told.message) == 1024


def test_an_event_is_one_of_core_v1_and_says_who_where_and_when() -> None:
    event = write_event(SUBJECT, TOLD, identity="gateway-0", now=TIME)
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name_event(SUBJECT, TOLD), "namespace": "team"},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Mapping",
            "namespace": "team",
            "name": "iris",
            "uid": "uid-1",
            "resourceVersion": "7",
            "fieldPath": "metadata.annotations['a']",
        },
        "type": "Warning",
        "reason": "WrongType",
        "message": TOLD.message,
        "source": {"component": "kfambassador"},
        "reportingComponent": "kfambassador",
        "reportingInstance": "gateway-0",
        "firstTimestamp": TIME,
        "lastTimestamp": TIME,
        "count": 1,
    }
    assert "fieldPath" not in write_event(SUBJECT, MENDED, identity="a", now=TIME)["involvedObject"]


def test_an_event_is_named_after_what_it_says_and_of_whom() -> None:
    name = name_event(SUBJECT, TOLD)
    assert name.startswith("iris.")
    assert name == name_event(replace(SUBJECT, version="8"), TOLD)
    others = [TOLD._replace(message="else"), TOLD._replace(kind="Normal"), TOLD._replace(field="")]
    names = {name, name_event(replace(SUBJECT, uid="uid-2"), TOLD), *(name_event(SUBJECT, other) for other in others)}
    assert len(names) == 5


def test_the_name_of_an_event_is_no_longer_than_a_name_may_be() -> None:
    long = replace(SUBJECT, key=key("a" * 199 + "-" + "b" * 53))
    name = name_event(long, TOLD)
    assert len(name) <= 253
    assert "-." not in name
