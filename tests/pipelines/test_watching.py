"""What a shift tells and does where it is stopped, cannot judge its canary, or has not watched all of it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import kfambassador as kfa
from kfambassador import pipelines
from kfambassador.local.models import ModelServer
from tests.e2e.gateway import until
from tests.pipelines.running import Runner, calling, shares

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("pipelines"),
    pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning"),
]

Servers = tuple[ModelServer, ModelServer]

STOPPED = """
import sys
from kfambassador.pipelines.steps.running import as_step
from kfambassador.pipelines.steps.shifting import shift
with as_step():
    shift("mnist", sys.argv[1], steps=[40.0], every="10m", error_rate=0.01, min_requests=1, promote=True,
        variant="canary", log=lambda *_: None, report_path=sys.argv[2])
"""


@pytest.mark.parametrize("only_the_shell", [False, True], ids=["python", "shell"])
def test_a_shift_that_is_stopped_takes_its_canary_back_and_says_so(
    only_the_shell: bool, laptop: kfa.Gateway, servers: Servers, tmp_path: Path
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    # As kfp's launcher runs a step: a shell that waits for Python.
    step = [sys.executable, "-c", STOPPED, canary, str(tmp_path / "report")]
    command = ["sh", "-c", '"$@"; exit $?', "sh", *step] if only_the_shell else step
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        until(lambda: shares(laptop, "mnist") == {stable: 60, canary: 40})
        process.send_signal(signal.SIGTERM)
        # Until the last that writes there has ended, whoever that is.
        _, said = process.communicate(timeout=60)
    assert process.returncode == (-signal.SIGTERM if only_the_shell else 128 + signal.SIGTERM)
    assert "kfambassador: mnist: the step was stopped; the canary was taken back" in said
    assert "Traceback" not in said
    assert "stopped; the canary was taken back" in (tmp_path / "report").read_text()
    assert shares(laptop, "mnist") == {stable: 100}


def test_a_canary_at_another_models_server_gets_nobodys_request_until_it_is_counted_for_itself(
    laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    asked: dict[str, Any] = {"name": "mnist", "steps": [100], "every": "1s", "min_requests": 0}
    # Whoever was sent there would be told of it.
    with ModelServer("mnist", failing=True) as bad:
        laptop.expose("sib", service=bad.port, server=kfa.TFServing(model="mnist"))
        with calling(laptop, "mnist") as callers:
            done = runner.run(pipelines.shift_traffic, service=str(bad.port), **asked)
    assert callers.failed == []
    assert callers.answered > 0
    (words,) = (line for line in done.words if "gets no share of mnist" in line)
    assert "what it did cannot be told from default/sib" in words
    assert 'publish the other model with attributes={"cluster_tag": "..."}' in words
    assert shares(laptop, "mnist") == {stable: 100}
    # What it says helps.
    tagged: dict[str, Any] = {"name": "sib", "service": canary, "model": "mnist", "attributes": {"cluster_tag": "sib"}}
    runner.run(pipelines.publish_route, **tagged).check()
    runner.run(pipelines.shift_traffic, service=canary, **asked).check()
    assert shares(laptop, "mnist") == {canary: 100}


def test_a_promotion_from_a_part_of_the_requests_to_all_is_told(
    laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    done = runner.run(
        pipelines.shift_traffic, name="mnist", service=canary, steps=[10, 50], every="0.1s", min_requests=0
    ).check()
    words = "it was watched with up to 50 % of the requests, and went from there to all: end steps with 100"
    assert f"mnist: {canary} was promoted; {words}" in done.said
    assert words in Path(done.outputs["report"].path).read_text()
