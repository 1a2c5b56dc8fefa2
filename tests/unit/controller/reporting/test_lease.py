"""What a Lease says and who may claim it, without a cluster."""

import pytest

from kfambassador.controller.reporting.lease import Candidate, LeaseSettings
from kfambassador.errors import ConfigurationError
from kfambassador.kube.objects import Manifest

SETTINGS = LeaseSettings(name="lease", namespace="home", duration=15)
NOW, LATER = "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:02.000000Z"


def candidate(name: str = "me") -> Candidate:
    return Candidate(SETTINGS, identity=name)


def held(holder: str, *, renewed: str = NOW, duration: int = 15) -> Manifest:
    spec = {"leaseDurationSeconds": duration, "acquireTime": NOW, "renewTime": renewed, "leaseTransitions": 3}
    metadata = {"name": "lease", "namespace": "home", "uid": "u", "resourceVersion": "7", "labels": {"kept": "yes"}}
    return {"metadata": metadata, "spec": spec | ({"holderIdentity": holder} if holder else {})}


def test_a_lease_that_is_not_there_is_claimed() -> None:
    me = candidate()
    me.see(None, now=0)
    assert me.may_claim(now=0)
    claimed = me.claim(None, told=NOW)
    assert (claimed["apiVersion"], claimed["kind"]) == ("coordination.k8s.io/v1", "Lease")
    assert claimed["metadata"] == {"name": "lease", "namespace": "home"}
    assert claimed["spec"] == {
        "holderIdentity": "me",
        "leaseDurationSeconds": 15,
        "acquireTime": NOW,
        "renewTime": NOW,
        "leaseTransitions": 0,
    }


def test_what_somebody_holds_is_theirs_for_as_long_as_it_lasts_by_ones_own_clock() -> None:
    me = candidate()
    me.see(held("other"), now=1000)
    assert not me.may_claim(now=1014.9)
    assert me.may_claim(now=1015)


def test_each_renewal_begins_it_anew_and_seeing_the_same_again_does_not() -> None:
    me = candidate()
    me.see(held("other"), now=1000)
    me.see(held("other"), now=1010)
    assert me.may_claim(now=1015)
    me.see(held("other", renewed=LATER), now=1014)
    assert not me.may_claim(now=1028.9)
    assert me.may_claim(now=1029)


def test_no_time_of_day_is_believed() -> None:
    me = candidate()
    me.see(held("other", renewed="1999-01-01T00:00:00.000000Z"), now=1000)
    assert not me.may_claim(now=1001)
    me.see(held("other", renewed="2999-01-01T00:00:00.000000Z"), now=1002)
    assert me.may_claim(now=1017)


def test_the_holder_says_how_long_it_lasts() -> None:
    me = candidate()
    me.see(held("other", duration=60), now=1000)
    assert not me.may_claim(now=1059)
    assert me.may_claim(now=1060)


def test_a_lease_that_vanishes_is_still_its_holders_who_has_not_heard_of_it() -> None:
    me = candidate()
    me.see(held("other"), now=1000)
    # It may have been renewed until a moment before.
    me.see(None, now=1010)
    me.see(None, now=1012)
    assert not me.may_claim(now=1024)
    assert me.may_claim(now=1025)
    me.see(held("other"), now=1026)
    assert not me.may_claim(now=1040)


def test_what_was_ones_own_and_vanishes_may_be_another_ones_by_now() -> None:
    me = candidate()
    me.see(held("me"), now=1000)
    me.see(None, now=1012)
    assert me.may_claim(now=1012, leads=True)
    assert not me.may_claim(now=1026)
    assert me.may_claim(now=1027)


def test_what_was_given_up_is_claimed_at_once_and_counts_as_a_transition() -> None:
    me = candidate()
    me.see(held(""), now=1000)
    assert me.may_claim(now=1000)
    claimed = me.claim(held(""), told=LATER)
    assert claimed["spec"]["leaseTransitions"] == 4
    assert claimed["spec"]["acquireTime"] == LATER


def test_a_renewal_keeps_since_when_it_is_held_and_what_others_wrote_there() -> None:
    renewed = candidate("other").claim(held("other"), told=LATER)
    assert renewed["spec"]["leaseTransitions"] == 3
    assert (renewed["spec"]["acquireTime"], renewed["spec"]["renewTime"]) == (NOW, LATER)
    # The version has the API refuse it where somebody else was quicker.
    assert renewed["metadata"]["resourceVersion"] == "7"
    assert renewed["metadata"]["uid"] == "u"
    assert renewed["metadata"]["labels"] == {"kept": "yes"}


def test_to_give_it_up_is_to_name_nobody() -> None:
    released = candidate().release(held("me"), told=LATER)
    assert released["spec"] == {"leaseDurationSeconds": 1, "renewTime": LATER, "leaseTransitions": 3}


def test_a_lease_full_of_nonsense_is_somebodys_for_the_usual_time() -> None:
    me = candidate()
    me.see({"spec": {"holderIdentity": "x", "leaseDurationSeconds": "long", "leaseTransitions": None}}, now=0)
    assert not me.may_claim(now=14)
    assert me.may_claim(now=15)


@pytest.mark.parametrize("duration", [0, 0.5, 1.5, -3, float("nan"), float("inf")])
def test_a_lease_counts_in_whole_seconds(duration: float) -> None:
    with pytest.raises(ConfigurationError, match="lease_duration"):
        LeaseSettings(duration=duration)
