"""A client that reads everything and answers nothing."""

from weakref import ref

from kfambassador.envoy.protos import DeltaDiscoveryRequest
from kfambassador.envoy.snapshot import Snapshot, TypeUrl, XdsResource
from kfambassador.xds.session import Session
from kfambassador.xds.subscription import MOST_UNANSWERED, PATIENCE


class _Resources(dict[TypeUrl, dict[str, XdsResource]]):
    """What a snapshot holds, seen to go."""


def test_who_never_answers_is_told_the_newest_again_and_again_and_costs_no_more_memory() -> None:
    session = Session()
    session.on_request(DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER), 0.0)
    alive, told = [], []
    for generation in range(1, 101):
        cluster = XdsResource.of("a", str(generation).encode())
        resources = _Resources({TypeUrl.CLUSTER: {"a": cluster}})
        alive.append(ref(resources))
        told += session.on_snapshot(Snapshot(resources, generation=generation), generation * PATIENCE)
        del resources
    assert [each.resources[0].resource.value for each in told] == [str(each).encode() for each in range(1, 101)]
    assert sum(each() is not None for each in alive) <= MOST_UNANSWERED

    # The newest still counts once it is answered, and an answer to what is long forgotten is no answer.
    session.on_request(DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER, response_nonce=told[0].nonce), 500.0)
    assert session.status.acknowledged is None
    for response in told[-MOST_UNANSWERED:]:
        session.on_request(DeltaDiscoveryRequest(type_url=TypeUrl.CLUSTER, response_nonce=response.nonce), 500.0)
    assert session.status.acknowledged == 100
