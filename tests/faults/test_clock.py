"""A clock that jumps: what waits goes by another one, and only what has a date goes by the calendar (fault 11).

The controller runs with a calendar that a file moves, in seconds, while it runs.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kfambassador.kube.kinds import LEASE
from tests.faults.api import carrier, mapping
from tests.faults.pod import GATEWAY_NAMESPACE
from tests.faults.programs import until
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("faults-clock")]

DAY = 86_400

#: Python runs it before anything else: every way to ask for the time of day answers with another one.
SHIFTED = """
import datetime, os, pathlib, time

_file = pathlib.Path(os.environ["SHIFT_FILE"])
_time, _time_ns, _real = time.time, time.time_ns, datetime.datetime

def _shift():
    return float(_file.read_text() or 0)

class _Kind(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, _real)
    def __subclasscheck__(cls, other):
        return issubclass(other, _real)

class Shifted(_real, metaclass=_Kind):
    @classmethod
    def now(cls, tz=None):
        return _real.now(tz) + datetime.timedelta(seconds=_shift())
    @classmethod
    def utcnow(cls):
        return _real.utcnow() + datetime.timedelta(seconds=_shift())

time.time = lambda: _time() + _shift()
time.time_ns = lambda: _time_ns() + int(_shift() * 1e9)
datetime.datetime = Shifted
"""


class Calendar:
    """The time of day as the controller is told it."""

    def __init__(self, directory: Path) -> None:
        (directory / "sitecustomize.py").write_text(SHIFTED)
        self._file = directory / "shift"
        self.move(0)
        self.environment = {"PYTHONPATH": str(directory), "SHIFT_FILE": str(self._file)}

    def move(self, seconds: float) -> None:
        """Move it, from what is true."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(str(seconds))
        draft.replace(self._file)


@pytest.fixture(scope="module")
def calendar(place: Path) -> Calendar:
    """Return the calendar of the pod's controller."""
    directory = place / "calendar"
    directory.mkdir()
    return Calendar(directory)


@pytest.fixture(scope="module")
def scene(place: Path, calendar: Calendar) -> Iterator[Scene]:
    """Return a gateway whose controller goes by that calendar."""
    with Scene(place) as scene:
        scene.pod("gateway", "--lease-duration=2", environment=calendar.environment).start().wait_ready()
        yield scene


def test_jumps_lose_no_request_no_lease_and_hold_nothing_up(scene: Scene, calendar: Calendar) -> None:
    scene.publish("stays", "changes")
    with scene.load("stays") as load:
        for number, shift in enumerate((DAY, -DAY, 400 * DAY, -400 * DAY, 0)):
            calendar.move(shift)
            model = ("two", "one")[number % 2]
            scene.lead("changes", model)
            scene.wait_served("changes", model)
            wait_renewed(scene)
        assert lease(scene)["leaseTransitions"] == 0
    assert load.failed == {}


def test_what_has_a_date_ends_by_the_calendar_and_comes_back_when_that_is_set_back(
    scene: Scene, calendar: Calendar
) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    dated = carrier("dated", mapping("dated", "one"))
    dated["metadata"]["annotations"]["kfambassador/expires-at"] = soon.strftime("%Y-%m-%dT%H:%M:%SZ")
    scene.publish("stays")
    scene.api.apply(dated)
    scene.wait_served("dated", "one")
    with scene.load("stays") as load:
        calendar.move(DAY)
        # Whatever is compiled next looks at the calendar; without anything it is looked at every minute.
        scene.publish("on-the-next-day")
        scene.wait_gone("dated")
        calendar.move(0)
        scene.publish("today-after-all")
        scene.wait_served("dated", "one")
    assert load.failed == {}


def wait_renewed(scene: Scene) -> None:
    """Wait until the Lease is renewed once more."""
    before = lease(scene)["renewTime"]
    until(lambda: lease(scene)["renewTime"] != before, "the Lease is renewed")


def lease(scene: Scene) -> dict[str, object]:
    """What the Lease says."""
    spec: dict[str, object] = scene.api.client.get(LEASE, "kfambassador-status", namespace=GATEWAY_NAMESPACE)["spec"]
    return spec
