"""A gateway of real processes for each file of tests: API, controller, Envoy and two model servers.

Each file tells at its top which of these faults it is about; no file asserts how long anything takes.

1. A new controller beside ten thousand mappings: ``test_ten_thousand``.
2. One bad resource: ``test_churn``, and what Envoy alone refuses in ``tests/e2e/test_quarantine.py``.
3. A frozen watch: ``test_api_away``, and one that goes silent in ``tests/cluster/test_reflector.py``.
4. A broken watch, 410, a storm of refusals, half a list: ``test_unreliable_api``.
5. The API away, at the start or later: ``test_api_away``.
6. Controller or Envoy killed: ``test_killed``.
7. Both told to end under load: ``test_killed``.
8. Another leader: ``test_replicas``.
9. Endpoints that flap: ``test_churn``.
10. The same name elsewhere, a new name, the same name again: ``test_churn``.
11. A clock that jumps: ``test_clock``.
12. A slow consumer: ``test_slow_consumer``.
13. Half a kept file: ``test_api_away``.
14. A notebook killed while it applies, a step retried: ``tests/sdk/test_killed.py``, ``tests/pipelines``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.scene import Scene


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory for a file's tests."""
    return tmp_path_factory.mktemp("faults")


@pytest.fixture(scope="module")
def scene(place: Path) -> Iterator[Scene]:
    """Return an API and two model servers, with one pod of a gateway that serves them."""
    with Scene(place) as scene:
        scene.pod("gateway").start().wait_ready()
        yield scene
