"""The cases of the delta protocol, as scripts: what a client says, and what it is answered."""

import pytest

from kfambassador.envoy.snapshot import content_version
from tests.unit.xds.conversation import Step, accept, ask, played, publish, refuse, wait

A_AND_B = publish(1, clusters="a b", endpoints="a b")
SAME = content_version(b"")

CASES: dict[str, list[tuple[Step, str]]] = {
    "asking for nothing is the old way to ask for all clusters": [
        (ask("clusters"), "clusters +a +b"),
    ],
    "a star asks for all": [
        (ask("clusters", "*"), "clusters +a +b"),
    ],
    "asking for nothing asks for no endpoints: that old way is for clusters and listeners": [
        (ask("endpoints"), ""),
    ],
    "a later request for nothing is no new wish": [
        (ask("clusters", "a"), "clusters +a"),
        (accept("clusters"), ""),
        (ask("clusters"), ""),
    ],
    "asking for all is answered once even when there is nothing": [
        (publish(2), ""),
        (ask("clusters", "*"), "clusters"),
        (accept("clusters"), ""),
        (publish(3), ""),
    ],
    "names are answered by those names": [
        (ask("clusters", "b"), "clusters +b"),
    ],
    "a name that does not exist is answered at once": [
        (ask("endpoints", "a", "ghost"), "endpoints +a -ghost"),
        (accept("endpoints"), ""),
    ],
    "a name that did not exist is given when it does": [
        (ask("endpoints", "ghost"), "endpoints -ghost"),
        (accept("endpoints"), ""),
        (publish(2, clusters="a b", endpoints="a b ghost"), "endpoints +ghost"),
    ],
    "a name asked for again is given again": [
        (ask("endpoints", "a"), "endpoints +a"),
        (accept("endpoints"), ""),
        (ask("endpoints", "a"), "endpoints +a"),
    ],
    "a name asked for again while its answer is under way is given after that": [
        (ask("endpoints", "a"), "endpoints +a"),
        (ask("endpoints", "a"), ""),
        (accept("endpoints"), "endpoints +a"),
    ],
    "an acknowledgement may ask for more": [
        (ask("endpoints", "a"), "endpoints +a"),
        (accept("endpoints", "b"), "endpoints +b"),
    ],
    "a dropped name is not followed any more": [
        (ask("endpoints", "a", "b"), "endpoints +a +b"),
        (accept("endpoints"), ""),
        (ask("endpoints", drop="a"), ""),
        (publish(2, clusters="a b", endpoints="a@2 b@2"), "endpoints +b"),
    ],
    "a name dropped under a star is given once more": [
        (ask("clusters", "*", "a"), "clusters +a +b"),
        (accept("clusters"), ""),
        (ask("clusters", drop="a"), "clusters +a"),
    ],
    "a name dropped under a star that does not exist is answered so": [
        (ask("clusters", "*", "ghost"), "clusters +a +b -ghost"),
        (accept("clusters"), ""),
        (ask("clusters", drop="ghost"), "clusters -ghost"),
    ],
    "dropping the star leaves the names": [
        (ask("clusters", "*", "a"), "clusters +a +b"),
        (accept("clusters"), ""),
        (ask("clusters", drop="*"), ""),
        (publish(2, clusters="a@2 b@2"), "clusters +a"),
    ],
    "the old star can be dropped like the new one": [
        (ask("clusters"), "clusters +a +b"),
        (accept("clusters"), ""),
        (ask("clusters", drop="*"), ""),
        (publish(2, clusters="a@2 b@2"), ""),
    ],
    "names asked for under the old star do not end it": [
        (ask("clusters"), "clusters +a +b"),
        (accept("clusters", "a"), "clusters +a"),
        (accept("clusters"), ""),
        (publish(2, clusters="a b@2"), "clusters +b"),
    ],
    "what the client kept from an earlier stream is not sent": [
        (ask("clusters", "*", holding={"a": SAME, "b": "old"}), "clusters +b"),
    ],
    "what the client kept and is no more is taken away": [
        (publish(2, clusters="a", listeners="http"), ""),
        (ask("clusters", "*", holding={"a": SAME, "gone": "old"}), ""),
        (ask("listeners", holding={"http": SAME}), ""),
        (ask("routes"), ""),
        (wait(5), "clusters -gone"),
    ],
    "what the client kept without asking for it is not followed": [
        (ask("endpoints", "a", holding={"a": SAME, "b": "old"}), ""),
        (publish(2, endpoints="a b@2"), ""),
    ],
    "a nonce of nobody is ignored": [
        (accept("clusters", "a"), "clusters +a"),
        (ask("clusters", "b"), ""),
        (accept("clusters"), "clusters +b"),
        (accept("clusters", back=1), ""),
        (refuse("clusters", back=1), ""),
        (accept("clusters"), ""),
        (refuse("clusters"), ""),
        (publish(2, clusters="a b@2"), "clusters +b"),
    ],
}


@pytest.mark.parametrize("script", CASES.values(), ids=CASES.keys())
def test_protocol(script: list[tuple[Step, str]]) -> None:
    played((A_AND_B, ""), *script)
