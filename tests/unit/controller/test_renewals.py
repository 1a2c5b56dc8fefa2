"""Which resourceVersion of an object is known to be served."""

import pytest

from kfambassador.controller.state import SourceState, Work
from kfambassador.kube.store import Renewal
from kfambassador.problems import ObjectKey
from kfambassador.resources.meta import ResourceSet

KEY = ObjectKey("Mapping", "team", "m")


@pytest.mark.parametrize(
    ("renewed", "version"),
    [
        ({}, "5"),
        ({KEY: Renewal(read="5", newest="8")}, "8"),
        # What was read since says something else, and is not compiled yet: nothing of it may be promised.
        ({KEY: Renewal(read="6", newest="8")}, "5"),
    ],
    ids=["never seen again", "seen again", "changed since"],
)
def test_the_newest_version_that_says_what_was_compiled(renewed: dict[ObjectKey, Renewal], version: str) -> None:
    work = Work(ResourceSet(sources={KEY: "5"}, generation=1), since={KEY: 1}, renewed=renewed)
    status = work.source(KEY, served=1)
    assert (status.resource_version, status.state) == (version, SourceState.SERVING)
