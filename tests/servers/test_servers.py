"""Model servers that others wrote, behind a real Envoy: what they answer is what comes back, whatever is changed."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

import kfambassador as kfa
from kfambassador.sdk.grpc import open_inference
from kfambassador.sdk.grpc.channel import open_channel
from kfambassador.sdk.readiness.status import Phase
from tests.e2e.gateway import until
from tests.servers.conftest import Case
from tests.servers.kinds import IRIS
from tests.servers.processes import ask

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("servers")]

#: Enough that a share of one percent more or less would be seen now and then, and of ten always.
MANY = 30


def without_id(answer: object) -> object:
    """An answer without what is new each time."""
    return {key: value for key, value in answer.items() if key != "id"} if isinstance(answer, dict) else answer


def test_it_is_waited_for_until_it_is_loaded(case: Case) -> None:
    assert case.before == [Phase.PROGRAMMED, Phase.ANSWERING]


def test_a_prediction_is_what_the_server_answers(case: Case) -> None:
    prediction = case.exposure.predict(case.kind.inputs)
    direct = ask(case.urls[0] + case.kind.path, case.kind.body)
    assert prediction.values == case.kind.answers[0]
    assert without_id(prediction.raw) == without_id(direct)


def test_what_it_tells_of_its_model_is_passed_on_and_its_sample_is_taken(case: Case) -> None:
    exposure = case.exposure
    if "metadata" not in exposure.operations:
        with pytest.raises(kfa.ConfigurationError, match="it can be asked for: predict"):
            exposure.metadata()
        return
    where = exposure.server.operations(exposure.server.base(exposure.name))["metadata"].path
    served = exposure.test(method="GET", path=where).upstream_path
    assert exposure.metadata() == ask(case.urls[0] + served)
    sample = exposure.sample()
    assert sample is None or exposure.predict(sample).values


def test_what_only_reads_is_answered(case: Case) -> None:
    known = case.exposure.server.operations(case.exposure.server.base(case.exposure.name))
    tried = [case.exposure.test(path=operation.path) for operation in known.values() if operation.method == "GET"]
    assert tried
    assert all(tried), tried


def test_a_wrong_description_is_told_in_words(case: Case, gateway: kfa.Gateway) -> None:
    with gateway.expose("mistaken", service=case.ports[0], server=case.kind.mistaken, wait=False) as mistaken:
        mistaken.wait_for_status(kfa.Phase.PROGRAMMED)
        until(lambda: case.kind.told in mistaken.status.message + mistaken.status.cause)
        # Whoever waits is told the same at the end, however short the wait is.
        with pytest.raises(kfa.NotServed) as caught:
            mistaken.wait(0.1)
    assert case.kind.told in str(caught.value)


def test_one_request_is_tried_out(case: Case) -> None:
    tried = case.exposure.test(case.kind.body)
    assert tried
    assert (tried.status, tried.upstream_path) == (200, case.kind.path)
    assert tried.mapping.startswith(f"default/{case.exposure.name}")
    assert tried.backend.endswith(f"127.0.0.1:{case.ports[0]}")
    refused = case.exposure.test({"nonsense": True})
    assert not refused
    assert refused.status >= 400
    assert refused.meaning


def run_line(line: str) -> object:
    """Give a line to a shell; give the answer's JSON."""
    told = ["sh", "-c", f"{line} --fail-with-body -sS --noproxy '*'"]
    done = subprocess.run(told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return without_id(json.loads(done.stdout))


def test_the_line_for_curl_really_asks(case: Case) -> None:
    direct = ask(case.urls[0] + case.kind.path, case.kind.body)
    assert run_line(case.exposure.curl(case.kind.inputs)) == without_id(direct)


def test_the_line_for_curl_has_a_sample_that_is_taken(case: Case) -> None:
    if case.exposure.sample() is None:
        assert case.exposure.curl().startswith("curl -X POST ")
        return
    assert run_line(case.exposure.curl()) == without_id(case.exposure.predict(case.exposure.sample()).raw)


class Flow:
    """Requests one after the other, until they are told to end."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ended = Event()
        self._first = Event()
        self.seen: list[object] = []
        self.lost: list[Exception] = []

    def ask(self) -> None:
        """Ask until the end."""
        while not self._ended.is_set():
            try:
                self.seen.append(self._case.exposure.predict(self._case.kind.inputs).values)
            except Exception as error:  # noqa: BLE001 - it is told by the test, in whose thread this is not
                self.lost.append(error)
            self._first.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask while the block runs, and at least once."""
        threads = [Thread(target=self.ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            assert self._first.wait(60)
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()


def answers_of(case: Case, variant: str | None = None) -> list[object]:
    """The different answers to many requests."""
    seen: list[object] = []
    for _ in range(MANY if variant is None else 3):
        values = case.exposure.predict(case.kind.inputs, variant=variant).values
        if values not in seen:
            seen.append(values)
    return seen


def test_a_canary_gets_its_share_and_no_request_is_lost(case: Case) -> None:
    old, new = case.kind.answers
    exposure, server = case.exposure, case.kind.publish(case.starts[1].grpc_port)
    flow = Flow(case)
    with flow.running():
        assert exposure.canary(case.ports[1], 0, server=server)["stable"] == 100
        assert answers_of(case) == [old]
        assert answers_of(case, "canary") == [new]
        assert exposure.canary(weight=100)["canary"] == 100
        assert answers_of(case) == [new]
        assert answers_of(case, "stable") == [old]
        exposure.promote()
        assert answers_of(case) == [new]
        exposure.rollback()
        assert answers_of(case) == [old]
    assert flow.lost == []
    assert all(values in (old, new) for values in flow.seen)
    assert old in flow.seen


def test_its_requests_are_counted(case: Case) -> None:
    before = case.exposure.statistics()
    for _ in range(5):
        case.exposure.predict(case.kind.inputs)
    counted = case.exposure.statistics().since(before).total
    assert (counted.requests, counted.server_errors, counted.client_errors) == (5, 0, 0)


def test_it_is_asked_by_grpc_and_its_canary_too(case: Case, gateway: kfa.Gateway) -> None:
    exposure = case.exposure
    mapping = next((mapping for mapping in exposure.mappings if mapping.grpc), None)
    assert (mapping is None) == (case.starts[0].grpc_port is None)
    if mapping is None:
        return
    with open_channel(gateway.url, mapping=mapping) as channel:

        def predict() -> object:
            return open_inference.predict(channel, "iris", {"measures": IRIS})["predict"]

        assert open_inference.server_live(channel)
        assert open_inference.model_ready(channel, "iris")
        described = open_inference.model_metadata(channel, "iris")
        assert [(one.name, one.datatype, one.shape) for one in described.inputs] == [("measures", "FP64", (-1, 4))]
        assert predict() == case.kind.answers[0]
        exposure.canary(case.ports[1], 100, server=case.kind.publish(case.starts[1].grpc_port))
        assert predict() == case.kind.answers[1]
        exposure.rollback()
        assert predict() == case.kind.answers[0]
        with pytest.raises(kfa.RouteFailed) as caught:
            open_inference.predict(channel, "nobody", {"measures": IRIS})
    assert caught.value.status == 404
