"""The gateway and the backends of the suite, and how a case is played on them."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import count
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple, Protocol

from kfambassador.envoy.snapshot import Snapshot, TypeUrl
from kfambassador.problems import Problem
from kfambassador.routing.policy import TenancyPolicy
from tests.backends import Answer, EchoServer, Script
from tests.behaviour.casefile import Answering, Case, Request
from tests.behaviour.client import PATIENCE, Answered, Client, begin
from tests.behaviour.judging import judge_answer, judge_clusters, judge_mirror, judge_part, judge_shares
from tests.behaviour.pipeline import (
    Change,
    Place,
    build_snapshot,
    choose_policy,
    compile_text,
    encode,
    fill,
    judge_problems,
    unchanged,
    with_backends,
)
from tests.behaviour.policies import Judges, with_filters
from tests.behaviour.servers import Authorities, GrpcEchoServer, TlsEchoServer, UpgradeServer, serving
from tests.xds_gateway import XdsGateway, xds_gateway

#: What tells a mapping of the harness apart from those of a case.
MARKS = "behaviour-marks"


class Served(NamedTuple):
    """A client of what is served, and what was told of it."""

    client: Client
    problems: tuple[Problem, ...]


class Refused(Exception):
    """Envoy refused what a case applies; the message is Envoy's."""


class Backend(Protocol):
    """A server that does as its script says."""

    script: Script

    @property
    def port(self) -> int:
        """The TCP port."""


@dataclass
class World:
    """One Envoy, and every backend a case may name; see :func:`world`.

    Attributes:
        patience: Seconds an expectation may take to come true where the case says ``eventually``.
        clusters: The names of the clusters of what is served. Envoy still has those of the case before.
    """

    gateway: XdsGateway
    backends: Mapping[str, Backend]
    places: Mapping[str, Place]
    values: Mapping[str, str]
    judges: Judges
    trusted_ca: str
    mark: str
    generations: Iterator[int]
    patience: float = 20.0
    clusters: Collection[str] = ()

    def play(self, case: Case, *, change: Change = unchanged) -> list[str]:
        """Apply what a case says and send its requests; give every difference from what it expects."""
        self._tell(case.answers)
        served = self.serving(
            with_backends(fill(case.resources, self.values), self.places, case.namespace),
            choose_policy(case.policy, self.trusted_ca),
            namespace=case.namespace,
            filters=case.filters,
            proxied=case.proxied,
            change=change,
        )
        with served as (client, problems):
            differences = judge_problems(problems, case)
            return [*differences, *self._judge_configuration(case), *self._ask(case, client)]

    @contextmanager
    def serving(
        self,
        text: str,
        policy: TenancyPolicy,
        *,
        namespace: str = "default",
        filters: Sequence[str] = (),
        proxied: str | None = None,
        change: Change = unchanged,
    ) -> Iterator[Served]:
        """Serve what a text says, to a new client whose connection already sees it."""
        generation = next(self.generations)
        mark = _mark(generation, self.mark)
        compiled = compile_text(f"{text}\n---\n{mark}", policy, namespace=namespace, change=change)
        self._publish(with_filters(build_snapshot(compiled, generation), filters, self.judges))
        self._await_listener()
        with closing(Client(*self.gateway.address(), proxied)) as client:
            for _ in until(PATIENCE):
                # 403: the listener lets nobody in, so no route can be seen.
                if client.get(f"/{MARKS}/{generation}") in {200, 403}:
                    break
            else:
                raise TimeoutError(f"generation {generation} is not served")
            yield Served(client, compiled.problems)

    def _publish(self, snapshot: Snapshot) -> None:
        self.clusters = snapshot.of_type(TypeUrl.CLUSTER).keys()
        status = self.gateway.offer(snapshot)
        if status.acknowledged != snapshot.generation and status.rejection is not None:
            raise Refused(status.rejection.message)

    def _await_listener(self) -> None:
        """Wait until the worker has the listener: Envoy acknowledges it before."""
        while True:
            stats = _read_stats(self.gateway.admin("/stats?filter=^listener_manager"))
            changes = stats["listener_manager.listener_added"] + stats["listener_manager.listener_modified"]
            if stats["listener_manager.listener_create_success"] >= changes:
                return

    def _ask(self, case: Case, client: Client) -> Iterator[str]:
        for number, request in enumerate(case.requests, start=1):
            for difference in self._judge_request(request, client, case):
                yield f"request {number}, {request.send}: {difference}"

    def _judge_request(self, request: Request, client: Client, case: Case) -> list[str]:
        said = {name: request.answer for name in self.backends if request.answer}
        answers = {**case.answers, **said, **request.answers}
        differences: list[str] = []
        try:
            # Asked again and again where that is said: it is true in the end, or the case fails.
            for _ in until(self.patience if request.eventually else 0):
                self._tell(answers)
                differences = self._try(request, client)
                if not differences:
                    break
        finally:
            self._tell(case.answers)
        return differences

    def _try(self, request: Request, client: Client) -> list[str]:
        values = {**self.values, "gateway": client.address}

        def filled(text: str) -> str:
            return fill(text, values)

        before = self._stats(request)
        try:
            with self._meanwhile(request, client):
                answers = [client.send(request, filled) for _ in range(request.times)]
            return [*self._judge(request, answers, filled), *self._judge_stats(request, before)]
        except (OSError, HTTPException) as error:
            return [f"no answer: {type(error).__name__} {error}"]

    def _tell(self, answers: Mapping[str, Answering]) -> None:
        """Tell backends what to answer; the usual for those that are not named."""
        for name, backend in self.backends.items():
            backend.script.tell(Answer(**answers[name].model_dump()) if name in answers else Answer())

    @contextmanager
    def _meanwhile(self, request: Request, client: Client) -> Iterator[None]:
        """Keep another request waiting for its answer while the block runs."""
        if request.during is None:
            yield
            return
        method, target = request.during.split(" ", 1)
        for backend in self.backends.values():
            backend.script.tell(Answer(hold=True, times=1))
        address, _, port = client.address.rpartition(":")
        connection = HTTPConnection(address, int(port), timeout=30)

        def keep() -> None:
            with begin(connection, method, target, [("host", request.host)]) as response:
                response.read()

        thread = Thread(target=keep)
        thread.start()
        try:
            if not _any_seen(self.backends.values()):
                raise TimeoutError(f"{request.during} reached no backend")
            for backend in self.backends.values():
                if not backend.script.seen:
                    backend.script.tell(Answer())
            yield
        finally:
            for backend in self.backends.values():
                backend.script.tell(Answer())
            thread.join()
            connection.close()

    def _judge(self, request: Request, answers: Sequence[Answered], filled: Any) -> Iterator[str]:
        expect = request.expect
        if not expect.shares:
            for answered in answers:
                differences = list(judge_answer(answered, expect, filled))
                yield from differences
                if differences:
                    break
        yield from judge_shares(answers, expect)
        if expect.attempts is not None:
            seen = sum(len(each.script.seen) for each in self.backends.values())
            if seen != expect.attempts:
                yield f"attempts: expected {expect.attempts}, got {seen}"
        for name, mirror in expect.mirrored.items():
            script = self.backends[name].script
            wanted = 1 if mirror.times is None else mirror.times
            script.wait_for(wanted, timeout=self.patience)
            yield from judge_mirror(name, script.seen, mirror, times=request.times, fill=filled)

    def _stats(self, request: Request) -> dict[str, int]:
        return _read_stats(self.gateway.admin("/stats")) if request.expect.stats else {}

    def _judge_stats(self, request: Request, before: Mapping[str, int]) -> Iterator[str]:
        after = self._stats(request)
        for name, wanted in request.expect.stats.items():
            grown = after.get(name, 0) - before.get(name, 0)
            if grown != wanted:
                yield f"statistic {name}: expected {wanted} more, got {grown}"

    def _judge_configuration(self, case: Case) -> Iterator[str]:
        if case.clusters:
            held = {each["name"]: each for each in self._dump("dynamic_active_clusters", "cluster")}
            served = {name: held[name] for name in held.keys() & self.clusters}
            wanted = {fill(fragment, self.values): part for fragment, part in case.clusters.items()}
            yield from judge_clusters(wanted, served)
        if case.listener:
            states = self._dump("dynamic_listeners", "active_state")
            yield from judge_part(case.listener, _open(states[0]["listener"]), "listener")

    def _dump(self, resource: str, part: str) -> list[dict[str, Any]]:
        """What Envoy's admin tells of its configuration."""
        dump = json.loads(self.gateway.admin(f"/config_dump?resource={resource}"))
        return [each[part] for each in dump.get("configs", ()) if part in each]


def _open(listener: dict[str, Any]) -> dict[str, Any]:
    """The listener, with its connection manager's options beside its own."""
    return {**listener, **listener["filter_chains"][0]["filters"][0]["typed_config"]}


def _any_seen(backends: Collection[Backend]) -> bool:
    """Wait until any of the backends has seen a request."""
    return any(backend.script.wait_for(1, timeout=0.01) for _ in until(PATIENCE) for backend in backends)


def until(seconds: float) -> Iterator[None]:
    """Once, and again until time is up."""
    end = monotonic() + seconds
    yield
    while monotonic() < end:
        yield


def _mark(generation: int, target: str) -> str:
    """A mapping that tells which generation a connection is served."""
    return (
        f"{{apiVersion: getambassador.io/v2, kind: Mapping, name: {MARKS}-{generation}, prefix_exact: true, "
        f"prefix: /{MARKS}/{generation}, service: '{target}', precedence: 1000000, "
        "bypass_auth: true}"
    )


def _read_stats(text: str) -> dict[str, int]:
    pairs = (line.rpartition(": ") for line in text.splitlines())
    return {name: int(value) for name, _, value in pairs if value.isdigit()}


@contextmanager
def world() -> Iterator[World]:
    """Start every backend and one Envoy."""
    authorities = Authorities()
    with ExitStack() as stack:
        clear = {name: stack.enter_context(EchoServer(name)) for name in "abc"}
        names = ("secure", "secure.default", "secure.default.svc.cluster.local", "localhost", "127.0.0.1")
        secure = TlsEchoServer("secure", authorities.server_context(*names))
        mutual = TlsEchoServer("mutual", authorities.server_context("mutual.default", "mutual", checks_clients=True))
        raw = UpgradeServer("raw")
        for server in (secure, mutual, raw):
            stack.enter_context(serving(server))
        calls, judges = GrpcEchoServer("calls"), Judges()
        stack.enter_context(calls.serving())
        stack.enter_context(judges.serving())
        backends: dict[str, Backend] = {**clear, "secure": secure, "mutual": mutual, "raw": raw, "calls": calls}
        places = {name: Place({80: (backend.port,), 443: (backend.port,)}) for name, backend in backends.items()}
        places["abc"] = Place({80: tuple(server.port for server in clear.values())})
        values = {name: f"127.0.0.1:{backend.port}" for name, backend in backends.items()}
        values |= {f"{name}.port": str(backend.port) for name, backend in backends.items()}
        values |= _secrets(authorities)
        generations = count(1)
        trusted = stack.enter_context(authorities.own.cert_pem.tempfile())
        first = build_snapshot(compile_text("", choose_policy("laptop", trusted)), next(generations))
        gateway = stack.enter_context(xds_gateway(first))
        mark = stack.enter_context(EchoServer("mark"))
        yield World(gateway, backends, places, values, judges, trusted, f"127.0.0.1:{mark.port}", generations)


def _secrets(authorities: Authorities) -> dict[str, str]:
    chain = b"".join(each.bytes() for each in authorities.client.cert_chain_pems)
    return {
        "ca": encode(authorities.own.cert_pem.bytes()),
        "other-ca": encode(authorities.other.cert_pem.bytes()),
        "client.crt": encode(chain),
        "client.key": encode(authorities.client.private_key_pem.bytes()),
    }
