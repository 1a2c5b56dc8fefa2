"""Which of a mapping's rate limit labels are sent."""

from kfambassador.attributes.rate_limits import Label
from kfambassador.problems import Severity
from kfambassador.routing.labels import settle_labels
from tests.builders import mapping

OURS = (Label.model_validate("ours"),)


def test_labels_of_the_one_domain_stay_as_they_are() -> None:
    written = mapping(labels={"ambassador": [{"g": ["a"]}]}).labels
    settled, faults = settle_labels(written, domain="ambassador")
    assert settled is written
    assert faults == ()


def test_those_of_other_domains_are_left_out_and_told() -> None:
    written = mapping(labels={"ambassador": [{"g": ["a"]}], "other": [{"g": ["b"]}]}).labels
    settled, (fault,) = settle_labels(written, domain="other")
    assert settled == {"other": written["other"]}
    assert (fault.path, fault.severity) == ("labels.ambassador", Severity.NOTICE)
    assert fault.message == "labels of domain ambassador are sent to nobody; the gateway asks about other"


def test_the_gateways_own_come_before_every_groups() -> None:
    written = mapping(labels={"ambassador": [{"g": ["a"], "h": []}, {"i": ["b"]}]}).labels
    settled, _ = settle_labels(written, domain="ambassador", defaults=OURS)
    words = [
        [label.generic_key.value for label in labels if label.generic_key]
        for group in settled["ambassador"]
        for labels in group.values()
    ]
    assert words == [["ours", "a"], ["ours"], ["ours", "b"]]


def test_where_nothing_is_said_nothing_is_added() -> None:
    assert settle_labels({}, domain="ambassador", defaults=OURS) == ({}, ())
