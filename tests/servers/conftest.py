"""What the tests of real servers share."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import kfambassador as kfa
from kfambassador.local.stack import LocalStack
from kfambassador.sdk.readiness.status import Phase
from tests.ports import free_port
from tests.servers.environments import SWITCH, CannotMakeError, is_left_out, make_environment
from tests.servers.kinds import KINDS, Kind, Site, Start, train
from tests.servers.processes import STARTING, Server, running

# They run in environments of their own, and cannot be read in this one.
collect_ignore = ["programs"]


@dataclass
class Case:
    """A published server that others wrote, and its canary, which is not published at first.

    Attributes:
        kind: What it is.
        exposure: How it is published.
        ports: Where both listen.
        starts: How both were started.
        before: How far the publication had come before the server was started.
    """

    kind: Kind
    exposure: kfa.Exposure
    ports: tuple[int, int]
    starts: tuple[Start, Start]
    before: list[Phase] = field(default_factory=list)

    @property
    def urls(self) -> tuple[str, str]:
        """Where both are asked without any gateway."""
        first, second = self.ports
        return f"http://127.0.0.1:{first}", f"http://127.0.0.1:{second}"


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def gateway(stack: LocalStack) -> Iterator[kfa.Gateway]:
    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        yield gateway


@pytest.fixture(scope="session", params=sorted(KINDS))
def case(
    request: pytest.FixtureRequest, gateway: kfa.Gateway, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Case]:
    """Publish a server that is not there yet, start it, and start another one beside it."""
    kind = KINDS[request.param]
    programs = find_programs(kind, request)
    models, *places = (tmp_path_factory.mktemp(request.param) for _ in range(3))
    ports = free_port(), free_port()
    train(kind, programs, models)
    sites = (
        Site(programs, models, place, port, number)
        for number, (place, port) in enumerate(zip(places, ports, strict=True), start=1)
    )
    first, second = map(kind.prepare, sites)
    server = kind.publish(first.grpc_port)
    with ExitStack() as opened:
        exposure = opened.enter_context(gateway.expose(request.param, service=ports[0], server=server, wait=False))
        exposure.wait_for_status(Phase.PROGRAMMED, timeout=STARTING)
        case = Case(kind, exposure, ports, (first, second), [exposure.status.phase])
        started = [opened.enter_context(start(one, place)) for one, place in zip(case.starts, places, strict=True)]
        try:
            exposure.wait(STARTING)
        except kfa.NotServed as error:
            raise AssertionError(f"{error}\n{started[0].tell()}") from error
        case.before.append(exposure.status.phase)
        for process, url in zip(started, case.urls, strict=True):
            process.wait(url + kind.health)
        yield case


def start(what: Start, place: Path) -> AbstractContextManager[Server]:
    """Start a server; it ends with the block."""
    return running(what.command, place=place, log=place / "log", variables=what.variables)


def find_programs(kind: Kind, request: pytest.FixtureRequest) -> Path:
    """The programs of a server's environment, which is made where it is not there; whoever waits is told."""
    if is_left_out():
        pytest.skip(f"{SWITCH}=skip: {kind.environment} is not installed, and nothing is tried against it")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(words: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{words}", end="", flush=True)  # noqa: T201 - whoever waits wants to know for what

    try:
        return make_environment(kind.environment, tell)
    except CannotMakeError as error:
        pytest.fail(str(error), pytrace=False)
