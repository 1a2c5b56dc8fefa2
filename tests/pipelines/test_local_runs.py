"""Pipelines, really run on a laptop: what is served afterwards, and what callers met meanwhile."""

import json
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from kfp import compiler, components, dsl
from kfp.local.orchestrator import task_executor

import kfambassador as kfa
from kfambassador import pipelines
from kfambassador.local.models import ModelServer
from kfambassador.local.ports import reserved_port
from kfambassador.pipelines.components import COMPILED
from tests.e2e.gateway import until
from tests.pipelines.running import Runner, backends, calling, shares

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("pipelines"),
    # kfp's local runner says so of every image whose name has no "python" in it.
    pytest.mark.filterwarnings("ignore:You may be attemping to run a task:RuntimeWarning"),
]

Servers = tuple[ModelServer, ModelServer]


@dsl.pipeline(name="walk")
def walk(service: str) -> None:
    published = pipelines.publish_route(name="mnist", service=service, attributes={"timeout_ms": 60000})
    tested = pipelines.test_route(name="mnist", inputs=[1.0, 2.0, 5.0], expected=[2.5, 3.0, 4.5]).after(published)
    pipelines.list_routes(name="mnist").after(tested)


@dsl.pipeline(name="shift")
def shift(service: str, steps: list[Any], every: str, min_requests: int) -> None:
    with dsl.ExitHandler(pipelines.rollback_route(name="mnist")):
        pipelines.shift_traffic(
            name="mnist", service=service, steps=steps, every=every, min_requests=min_requests, p99_ms=5000.0
        )


@dsl.pipeline(name="trial")
def trial(service: str, timeout: float) -> None:
    with dsl.ExitHandler(pipelines.delete_route(name="mnist")):
        published = pipelines.publish_route(name="mnist", service=service, timeout=timeout)
        pipelines.test_route(name="mnist", expected=[2.5], inputs=[1.0], requests=3).after(published)


def test_a_model_is_published_tested_listed_and_taken_down(
    laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    done = runner.run(walk, service=str(servers[0].port)).check()
    assert laptop.get_exposure("mnist").predict([4.0]).values == [4.0]
    written = list(yaml.safe_load_all(done.read("publish-route", "mapping")))
    assert {each["timeout_ms"] for each in written} == {60_000}
    assert {each["name"] for each in written} == {mapping.name for mapping in laptop.get_exposure("mnist").mappings}
    listed = json.loads(done.read("list-routes", "routes"))
    assert listed == [route.model_dump(mode="json") for route in laptop.routes()]
    assert len(listed) == 6
    for namespace, number in ((laptop.namespace, 6), ("elsewhere", 0)):
        assert runner.run(pipelines.list_routes, namespace=namespace).outputs["number"] == number
    report = done.read("test-route", "report")
    assert report.startswith("<!doctype html>")
    assert "✓</span> passed" in report or "passed" in report
    assert "default/mnist-verbs" in report
    metrics = json.loads(done.read("test-route", "executor_output.json"))["artifacts"]["metrics"]["artifacts"][0]
    assert metrics["metadata"]["requests"] == 20
    assert metrics["metadata"]["failed"] == metrics["metadata"]["differences"] == 0
    assert 0 < metrics["metadata"]["p50_ms"] <= metrics["metadata"]["p95_ms"] <= metrics["metadata"]["p99_ms"]
    assert runner.run(pipelines.delete_route, name="mnist").outputs == {"deleted": True}
    assert list(laptop.routes()) == []
    assert runner.run(pipelines.delete_route, name="mnist").outputs == {"deleted": False}


def test_a_canary_that_does_well_is_promoted_and_no_caller_notices(
    laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    stable, canary = (str(server.port) for server in servers)
    laptop.expose("mnist", service=stable)
    with calling(laptop, "mnist") as callers:
        done = runner.run(shift, service=canary, steps=[30, 100], every="1s", min_requests=10).check()
    assert callers.failed == []
    assert callers.answered > 20
    assert shares(laptop, "mnist") == {canary: 100}
    assert backends(laptop) == {canary}
    report = done.read("shift-traffic", "report")
    assert [f"{share}%" in report for share in (30, 100)] == [True, True]
    assert "was promoted" in report
    # Another run of the same pipeline has nothing to do, and does no harm; and neither has a step that is repeated.
    again = runner.run(shift, service=canary, steps=[30, 100], every="1s", min_requests=10).check()
    assert "is the stable server already" in again.said
    for _ in range(2):
        told = runner.run(pipelines.promote_route, name="mnist", service=canary).outputs
        assert told == {"stable": f"127.0.0.1:{canary}"}
    # Taken back, though it was promoted, as often as one likes.
    for _ in range(2):
        told = runner.run(pipelines.rollback_route, name="mnist", service=canary).outputs
        assert told == {"stable": f"127.0.0.1:{stable}"}
    assert shares(laptop, "mnist") == {stable: 100}


def test_a_canary_that_fails_is_taken_back_and_the_step_says_why(
    laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    stable = str(servers[0].port)
    laptop.expose("mnist", service=stable)
    with ModelServer("mnist", failing=True) as bad, calling(laptop, "mnist") as callers:
        done = runner.run(shift, service=str(bad.port), steps=[50, 100], every="20s", min_requests=1)
        assert shares(laptop, "mnist") == {stable: 100}
        assert backends(laptop) == {stable}
    assert done.failed == "shift-traffic"
    assert any("canary was rolled back at 50 %" in words and "requests failed" in words for words in done.words)
    report = done.read("shift-traffic", "report")
    assert "was rolled back" in report
    assert "50%" in report
    assert "100%" not in report.partition("<tbody>")[2].partition("50%")[0]
    # The exit handler ran after it, and found nothing left to do.
    assert json.loads(done.read("rollback-route", "executor_output.json"))["parameterValues"] == {
        "stable": f"127.0.0.1:{stable}"
    }
    assert callers.answered > 0


def test_a_canary_that_does_not_answer_gets_nobodys_request(
    laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    stable = str(servers[0].port)
    laptop.expose("mnist", service=stable)
    with calling(laptop, "mnist") as callers, reserved_port() as port:
        done = runner.run(shift, service=str(port), steps=[50], every="1s", min_requests=1)
    assert done.failed == "shift-traffic"
    assert any("canary was taken back, and nobody's request went to it" in line for line in done.said.splitlines())
    assert "was not served" in done.read("shift-traffic", "report")
    assert shares(laptop, "mnist") == {stable: 100}
    assert callers.failed == []


def test_another_canary_that_is_under_way_is_left_alone(laptop: kfa.Gateway, runner: Runner, servers: Servers) -> None:
    stable, other = (str(server.port) for server in servers)
    with ModelServer("mnist") as third:
        laptop.expose("mnist", service=stable).canary(other, 20)
        done = runner.run(pipelines.shift_traffic, name="mnist", service=str(third.port), steps=[50], every="1s")
        assert any(f"canary is 127.0.0.1:{other} with 20 % of the requests" in words for words in done.words)
        refused = runner.run(pipelines.promote_route, name="mnist", service=str(third.port))
        assert any(f"{third.port} is not promoted, since it is no canary of mnist" in line for line in refused.words)
        assert shares(laptop, "mnist") == {stable: 80, other: 20}


def test_a_model_that_does_not_answer_fails_the_step_and_the_exit_handler_cleans_up(
    laptop: kfa.Gateway, runner: Runner
) -> None:
    with reserved_port() as port:
        done = runner.run(trial, service=str(port), timeout=1.0)
    assert done.failed == "publish-route"
    assert any(f"{port}" in words and "mnist" in words for words in done.words)
    assert "mnist is taken down" in done.said
    assert list(laptop.routes()) == []
    assert laptop.list_exposures() == []


def test_a_model_that_fails_fails_the_step_after_its_report_and_the_exit_handler_cleans_up(
    laptop: kfa.Gateway, runner: Runner
) -> None:
    with ModelServer("mnist", failing=True) as bad:
        done = runner.run(trial, service=str(bad.port), timeout=60.0)
    assert done.failed == "test-route"
    assert any(words.endswith("mnist did not pass its test:") for words in done.words)
    assert "3 of 3 requests failed: status 500, expected 200" in done.said
    assert 'It said: {"error": "It fails on every prediction, as it was told to"}' in done.said
    assert "3 of 3 requests failed: status 500, expected 200" in done.read("test-route", "report")
    assert list(laptop.routes()) == []


def test_a_test_that_need_not_pass_only_tells(laptop: kfa.Gateway, runner: Runner, servers: Servers) -> None:
    laptop.expose("mnist", service=servers[0].port)
    done = runner.run(
        pipelines.test_route, name="mnist", inputs=[1.0], expected=[99.0], p95_ms=0.0, requests=2, must_pass=False
    )
    assert done.outputs["passed"] is False
    assert done.outputs["metrics"].metadata["differences"] == 1
    report = Path(done.outputs["report"].path).read_text()
    assert "predictions[0]: 2.5 came, and 99 should" in report
    assert "and should within 0 ms" in report


def test_a_model_that_hangs_is_asked_once(laptop: kfa.Gateway, runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        laptop.expose("mnist", service=silent.getsockname()[1], timeout_ms=200, wait=False)
        until(lambda: len(laptop.routes()) == 6)
        done = runner.run(pipelines.test_route, name="mnist", inputs=[1.0], requests=9)
    assert "1 of 1 requests failed: status 504, expected 200" in done.said
    assert "; the other 8 were not sent" in done.said


def test_a_step_that_is_tried_again_finds_what_it_left(
    laptop: kfa.Gateway, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dsl.pipeline(name="patient")
    def patient(port: str) -> None:
        # The second attempt ends as soon as it is answered; both may take so long on a machine that is busy.
        pipelines.publish_route(name="mnist", service=port, timeout=3.0).set_retry(1)

    def pause(_seconds: float) -> None:
        # The first attempt has failed, and what it applied is there: only now the server comes up.
        assert [exposure.name for exposure in laptop.list_exposures()] == ["mnist"]
        late.start()

    monkeypatch.setattr(task_executor, "time", SimpleNamespace(sleep=pause))
    # Until the server comes, nobody else may be given its port.
    with reserved_port() as port:
        late = ModelServer("mnist", port=port)
        try:
            runner.run(patient, port=str(port)).check()
            assert laptop.get_exposure("mnist").predict([1.0]).values == [2.5]
            assert len(laptop.routes()) == 6
        finally:
            late.stop()


@pytest.mark.parametrize("cached", [False, True])
def test_a_second_run_publishes_again_unless_its_author_turns_caching_on(
    cached: bool, laptop: kfa.Gateway, runner: Runner, servers: Servers
) -> None:
    @dsl.pipeline(name="publish")
    def publish(service: str) -> None:
        task = pipelines.publish_route(name="mnist", service=service)
        if cached:
            task.set_caching_options(True)

    runner.run(publish, service=str(servers[0].port), caching=True).check()
    laptop.delete_exposure("mnist")
    runner.run(publish, service=str(servers[0].port), caching=True).check()
    assert [exposure.name for exposure in laptop.list_exposures()] == ([] if cached else ["mnist"])


def test_what_somebody_else_has_published_stays_theirs(
    laptop: kfa.Gateway, runner: Runner, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = servers
    monkeypatch.setenv("LOGNAME", "bob")
    laptop.expose("mnist", service=theirs.port)
    monkeypatch.setenv("LOGNAME", "ana")
    done = runner.run(trial, service=str(ours.port), timeout=60.0)
    assert done.failed == "publish-route"
    assert "published by bob" in done.said
    assert any("mnist stays published: bob has published it" in words for words in done.words)
    assert backends(laptop) == {str(theirs.port)}
    assert laptop.get_exposure("mnist").predict([1.0]).values == [2.5]
    assert runner.run(pipelines.delete_route, name="mnist", everybodys=True).outputs == {"deleted": True}
    assert list(laptop.routes()) == []


def test_a_component_is_used_from_its_yaml_where_we_are_not_installed(
    laptop: kfa.Gateway, runner: Runner, servers: Servers, tmp_path: Path
) -> None:
    # Compiled where nothing of ours can be imported, and run here, where a step's process can.
    compiled = tmp_path / "pipeline.yaml"
    subprocess.run([sys.executable, "-c", FROM_YAML, str(COMPILED), str(compiled)], check=True, capture_output=True)
    loaded = components.load_component_from_file(str(compiled))
    done = runner.run(loaded, service=str(servers[0].port)).check()
    assert laptop.get_exposure("mnist").predict([1.0]).values == [2.5]
    assert "passed" in done.read("test-route", "report")


FROM_YAML = """
import sys
sys.modules["kfambassador"] = None
from kfp import compiler, components, dsl
folder = sys.argv[1]
publish, test = map(components.load_component_from_file, (f"{folder}/publish_route.yaml", f"{folder}/test_route.yaml"))

@dsl.pipeline(name="from-yaml")
def pipeline(service: str):
    published = publish(name="mnist", service=service).set_caching_options(False)
    test(name="mnist", inputs=[1.0], expected=[2.5]).set_caching_options(False).after(published)

compiler.Compiler().compile(pipeline, sys.argv[2])
"""


def test_what_the_steps_do_needs_no_kfp(laptop: kfa.Gateway, servers: Servers, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KFP, *(str(server.port) for server in servers)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "mnist is taken down" in done.stdout
    assert (tmp_path / "mapping").read_text().count("kind: Mapping") == 6
    assert list(laptop.routes()) == []


# As where kubernetes and protobuf are newer than kfp allows.
WITHOUT_KFP = """
import sys
sys.modules["kfp"] = None
from kfambassador.pipelines.steps import listing, publishing, shifting, testing, withdrawing
stable, canary = sys.argv[1:]
limits = {"every": "0.1s", "error_rate": 0.0, "min_requests": 0, "promote": True, "variant": "canary"}
files = {"log": lambda *_: None, "report_path": "report"}
publishing.publish("mnist", service=stable, mapping_path="mapping")
assert testing.try_route("mnist", inputs=[1.0], expected=[2.5], **files).passed
assert shifting.shift("mnist", canary, steps=[50.0], **limits, **files).promoted
assert withdrawing.roll_back("mnist", canary, variant="canary").stable.endswith(stable)
assert listing.write_routes("mnist", routes_path="routes", report_path="report").number == 6
assert withdrawing.delete("mnist").deleted
"""


GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "pipelines"


def test_what_the_guide_trains_is_published_tested_and_reported(
    laptop: kfa.Gateway, runner: Runner, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    server = [sys.executable, str(GUIDE / "line_server.py"), str(models), "0"]
    with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as line_server:
        assert line_server.stdout is not None
        port = line_server.stdout.readline().strip().rpartition(":")[2]
        try:
            pipeline = runpy.run_path(str(GUIDE / "train_and_publish.py"))["train_and_publish"]
            done = runner.run(pipeline, name="line", service=port, folder=str(models)).check()
            assert backends(laptop) == {port}
            assert laptop.get_exposure("line").predict([10.0]).values == pytest.approx([7.0])
            assert "20 requests were sent, and 0 failed." in Path(done.outputs["Output"].path).read_text()
            # What is trained to answer otherwise than its test expects does not pass it.
            (models / "line.json").write_text('{"slope": 0.5, "intercept": 2.1}')
            dataset = done.folder / "train" / "holdout"
            asked = {"inputs": json.loads(dataset.read_text())["inputs"], "expected": [12.0, 17.0, 22.0]}
            wrong = runner.run(pipelines.test_route, name="line", **asked)
            assert "predictions[0]: 12.1 came, and 12 should (2 more differ)" in wrong.said
            assert wrong.error
        finally:
            line_server.terminate()


def test_the_guides_canary_compiles_and_loads_with_caching_off(tmp_path: Path) -> None:
    pipeline = runpy.run_path(str(GUIDE / "canary.py"))["canary"]
    compiler.Compiler().compile(pipeline, str(tmp_path / "canary.yaml"))
    loaded = components.load_component_from_file(str(tmp_path / "canary.yaml"))
    assert loaded.required_inputs == ["name", "service"]
    spec = yaml.safe_load((tmp_path / "canary.yaml").read_text())
    dags = [spec["root"], *spec["components"].values()]
    tasks = {name: task for each in dags for name, task in each.get("dag", {}).get("tasks", {}).items()}
    steps = {name for name in tasks if name != "exit-handler-1"}
    assert steps == {"list-routes", "rollback-route", "shift-traffic", "test-route"}
    assert [name for name in steps if tasks[name]["cachingOptions"]] == []
