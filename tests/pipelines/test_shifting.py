"""Whose a canary is: of two runs that shift one model at once one goes on; the other is told, and changes nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kfp import dsl

import kfambassador as kfa
from kfambassador import pipelines
from kfambassador.errors import Conflict
from kfambassador.local.models import ModelServer
from kfambassador.pipelines.steps.withdrawing import roll_back
from tests.e2e.gateway import until
from tests.pipelines.conftest import PERSON
from tests.pipelines.running import Runner, shares

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("pipelines"),
    pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning"),
]

STEP = """
import json, os, sys
from kfambassador.pipelines.steps.running import as_step
from kfambassador.pipelines.steps.shifting import shift
asked = json.loads(sys.argv[1])
with as_step():
    shift("mnist", error_rate=0.01, variant="canary", log=lambda *_: None, report_path=os.devnull, **asked)
"""


@pytest.fixture
def third() -> Iterator[ModelServer]:
    with ModelServer("mnist") as server:
        yield server


@contextmanager
def shifting(
    service: str, run: str, *, steps: str = "[40]", every: str = "10m", promote: str = "true"
) -> Iterator[Any]:
    """A step of a run as a process of its own; it is ended at the end."""
    asked = f'{{"service": "{service}", "run": "{run}", "steps": {steps}, "every": "{every}", "promote": {promote}'
    command = [sys.executable, "-c", STEP, f'{asked}, "min_requests": 0}}']
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ) as step:
        try:
            yield step
        finally:
            step.kill()


def last_words(step: "subprocess.Popen[str]") -> str:
    _, said = step.communicate(timeout=60)
    assert step.returncode == 1, said
    return said[said.rindex("kfambassador: mnist has") :]


def test_of_two_that_looked_before_either_wrote_the_second_is_refused(
    laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer], third: ModelServer
) -> None:
    stable, first = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    asked = [(first, "a"), (str(third.port), "b"), (first, "c")]
    handles = [laptop.get_exposure("mnist").claim(service, run=run) for service, run in asked]
    assert [len(handle.variants) for handle in handles] == [1, 1, 1]
    handles[0].canary(first, 20)
    for handle, (service, _) in zip(handles[1:], asked[1:], strict=True):
        with pytest.raises(Conflict) as caught:
            handle.canary(service, 30)
        assert f"canary is 127.0.0.1:{first} with 20 % of the requests" in str(caught.value)
        assert f"{PERSON} put it there, and run a is shifting it" in str(caught.value)
        with pytest.raises(Conflict):
            handle.promote()
        with pytest.raises(Conflict):
            handle.rollback("canary")
    assert shares(laptop, "mnist") == {stable: 80, first: 20}
    # Who comes back goes on, and once it has ended another may.
    laptop.get_exposure("mnist").claim(first, run="a").canary(weight=60)
    handles[0].release()
    laptop.get_exposure("mnist").claim(first, run="c").canary(weight=70)
    assert shares(laptop, "mnist") == {stable: 30, first: 70}


def test_two_steps_at_once_leave_one_canary_and_tell_of_it(
    laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer], third: ModelServer
) -> None:
    stable, one = (str(server.port) for server in servers)
    two = str(third.port)
    laptop.expose("mnist", service=stable)
    with shifting(one, "run-1") as first, shifting(two, "run-2") as second:
        until(lambda: None not in {first.poll(), second.poll()} or 40 in shares(laptop, "mnist").values())
        until(lambda: first.poll() is not None or second.poll() is not None)
        loser, kept, run = (second, one, 1) if first.poll() is None else (first, two, 2)
        told = last_words(loser)
        assert f"canary is 127.0.0.1:{kept} with" in told
        assert f"{PERSON} put it there, and run run-{run} is shifting it" in told
        assert f"rollback_route(name='mnist', service='127.0.0.1:{kept}')" in told
        assert "another name with variant=" in told
        until(lambda: shares(laptop, "mnist") == {stable: 60, kept: 40})


def test_a_step_that_was_killed_goes_on_when_it_is_tried_again_and_another_run_does_not(
    laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer]
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    with shifting(canary, "run-1") as killed:
        until(lambda: shares(laptop, "mnist") == {stable: 60, canary: 40})
        killed.send_signal(signal.SIGKILL)
        killed.wait(20)
    with shifting(canary, "run-2", every="0.1s") as other:
        told = last_words(other)
    assert f"canary is 127.0.0.1:{canary} with 40 % of the requests" in told
    assert "Wait for that run. If it has ended, take it back first: rollback_route" in told
    assert shares(laptop, "mnist") == {stable: 60, canary: 40}
    with shifting(canary, "run-1", steps="[50, 100]", every="0.1s") as again:
        assert again.wait(60) == 0
    assert shares(laptop, "mnist") == {canary: 100}


def test_a_shift_that_leaves_its_canary_leaves_it_for_others_to_go_on_with(
    laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer]
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    with shifting(canary, "run-1", steps="[30]", every="0.1s", promote="false") as first:
        assert first.wait(60) == 0
    assert shares(laptop, "mnist") == {stable: 70, canary: 30}
    with shifting(canary, "run-2", steps="[100]", every="0.1s") as second:
        assert second.wait(60) == 0
    assert shares(laptop, "mnist") == {canary: 100}


@pytest.mark.parametrize("taken_back", [False, True], ids=["replaced", "taken-back"])
def test_what_a_person_does_meanwhile_stays_and_the_step_says_so(
    taken_back: bool, laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer], third: ModelServer
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    with shifting(canary, "run-1", steps="[1, 40]", every="3s") as step:
        until(lambda: shares(laptop, "mnist") == {stable: 60, canary: 40})
        if taken_back:
            laptop.get_exposure("mnist").rollback("canary")
        else:
            laptop.get_exposure("mnist").canary(third.port, 10)
        _, said = step.communicate(timeout=60)
    assert step.returncode == 1
    if taken_back:
        assert f"{canary} is no canary of mnist any more: somebody took it back" in said
        assert shares(laptop, "mnist") == {stable: 100}
    else:
        assert f"which stays as it is: canary is 127.0.0.1:{third.port} with" in said
        assert f"{PERSON} put it there. Wait until that is settled" in said
        assert shares(laptop, "mnist") == {stable: 90, str(third.port): 10}


@dsl.pipeline(name="shift-and-fail")
def shift_and_fail(service: str) -> None:
    with dsl.ExitHandler(pipelines.rollback_route(name="mnist")):
        shifted = pipelines.shift_traffic(
            name="mnist", service=service, steps=[30], every="0.1s", min_requests=0, promote=False
        )
        pipelines.test_route(name="mnist", inputs=[1.0], expected=[99.0], requests=1).after(shifted)


def test_an_exit_handler_takes_its_own_runs_canary_back_and_no_others(
    laptop: kfa.Gateway, runner: Runner, servers: tuple[ModelServer, ModelServer], third: ModelServer
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    done = runner.run(shift_and_fail, service=canary)
    assert done.failed == "test-route"
    assert shares(laptop, "mnist") == {stable: 100}
    theirs = laptop.get_exposure("mnist").claim(third.port, run="theirs")
    theirs.canary(third.port, 20)
    for is_going_on in (True, False):
        done = runner.run(shift_and_fail, service=canary)
        assert done.failed == "shift-traffic"
        assert any(f"mnist has a canary already, which stays as it is: canary is 127.0.0.1:{third.port}" in
                   words for words in done.words)  # fmt: skip
        assert "mnist keeps its canary, which another run put there" in done.said
        assert shares(laptop, "mnist") == {stable: 80, str(third.port): 20}
        if is_going_on:
            refused = runner.run(pipelines.promote_route, name="mnist", service=str(third.port))
            assert any("is not promoted: canary is" in words and "run theirs" in words for words in refused.words)
            theirs.release()
    # Who names the server means it.
    told = runner.run(pipelines.rollback_route, name="mnist", service=str(third.port)).outputs
    assert told == {"stable": f"127.0.0.1:{stable}"}
    assert shares(laptop, "mnist") == {stable: 100}


def test_an_exit_handler_leaves_a_persons_canary_alone_and_says_so(
    laptop: kfa.Gateway, runner: Runner, servers: tuple[ModelServer, ModelServer], third: ModelServer
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable).canary(third.port, 10)
    done = runner.run(shift_and_fail, service=canary)
    assert done.failed == "shift-traffic"
    assert f"mnist keeps its canary, which no run put there: canary is 127.0.0.1:{third.port}" in done.said
    assert f"rollback_route(name='mnist', service='127.0.0.1:{third.port}')" in done.said
    assert shares(laptop, "mnist") == {stable: 90, str(third.port): 10}
    # Nor does one that is not told its run take it; and a server that has no part in it is no mistake unseen.
    for said in ({}, {"service": canary}):
        roll_back("mnist", variant="canary", **said)
        assert shares(laptop, "mnist") == {stable: 90, str(third.port): 10}
    told = runner.run(pipelines.rollback_route, name="mnist", service=canary).check()
    assert f"nothing is taken back, since {canary} has no part in mnist's requests. stable is" in told.said
    runner.run(pipelines.rollback_route, name="mnist", service=str(third.port)).check()
    assert shares(laptop, "mnist") == {stable: 100}


def test_steps_that_are_not_told_their_run_take_back_what_is_shifted_and_no_runs(
    laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer]
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    laptop.get_exposure("mnist").claim(canary, run="theirs").canary(canary, 20)
    roll_back("mnist", variant="canary")
    assert shares(laptop, "mnist") == {stable: 80, canary: 20}
    laptop.get_exposure("mnist").rollback()
    laptop.get_exposure("mnist").claim(canary, run="").canary(canary, 20)
    roll_back("mnist", variant="canary")
    assert shares(laptop, "mnist") == {stable: 100}


def test_of_two_attempts_of_one_run_both_go_well_when_either_has_promoted(
    laptop: kfa.Gateway, servers: tuple[ModelServer, ModelServer]
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    with shifting(canary, "run-1", steps="[40, 41]", every="4s") as first:
        until(lambda: shares(laptop, "mnist") == {stable: 60, canary: 40})
        with shifting(canary, "run-1", steps="[100]", every="0.1s") as second:
            assert second.wait(60) == 0
        said, wrong = first.communicate(timeout=60)
    assert first.returncode == 0, wrong
    assert f"{canary} is the stable server already" in said
    assert shares(laptop, "mnist") == {canary: 100}


def test_what_is_not_there_to_be_taken_down_or_back_is_told_with_its_namespace(
    laptop: kfa.Gateway, runner: Runner, servers: tuple[ModelServer, ModelServer]
) -> None:
    laptop.expose("mnist", service=servers[0].port)
    for step in (pipelines.delete_route, pipelines.rollback_route):
        told = runner.run(step, name="mnist", namespace="elsewhere").check().said
        assert "mnist is not published in namespace 'elsewhere', where nothing is: there is nothing to take" in told
        told = runner.run(step, name="mnits").check().said
        assert "mnits is not published in namespace 'default', where mnist is: there is nothing to take" in told
    listed = runner.run(pipelines.list_routes, namespace="elsewhere").check()
    assert "the gateway serves no route of namespace 'elsewhere'" in listed.said
