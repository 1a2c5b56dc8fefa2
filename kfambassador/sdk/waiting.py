"""Waiting for a publication to answer, and saying which step is missing when it does not."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from kfambassador.errors import MappingRejected, NoGateway, NotServed, RouteFailed
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import SERVICE
from kfambassador.kube.objects import is_as_new
from kfambassador.sdk.calls import Call, build_call, find_gateways_words, tell_denial
from kfambassador.sdk.http import HttpClient
from kfambassador.sdk.objects import delete_publication
from kfambassador.sdk.publication import Publication
from kfambassador.sdk.reading import ReadApi
from kfambassador.sdk.views import Source, SourceState

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5
_PROBE_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Access:
    """The three ways to a gateway: objects are applied, states are read, and models are called.

    Attributes:
        client: The Kubernetes API.
        reader: The controller's read API.
        http: Connections to models, through Envoy.
        url: Envoy's address, without a slash at the end.
    """

    client: KubeClient
    reader: ReadApi
    http: HttpClient
    url: str


def wait_until_answering(access: Access, publication: Publication, version: str, *, timeout: float) -> None:
    """Wait until a publication is accepted, programmed into every Envoy, and answered by its own service.

    Args:
        access: The gateway.
        publication: What was published.
        version: The resourceVersion of the Service that carries it.
        timeout: Seconds.

    Raises:
        MappingRejected: The gateway left a mapping out.
        NotServed: Time is up; its stage says which step is missing.
    """
    deadline = time.monotonic() + timeout
    source = _wait_until_programmed(access, publication, version, deadline)
    probe = build_probe(publication)
    if probe is not None:
        _check_winner(access, publication, probe)
        _wait_until_answered(access, publication, probe, deadline=deadline, source=source)


def take_down(access: Access, namespace: str, name: str, *, timeout: float) -> bool:
    """Delete a publication, and wait until the gateway serves nothing of it any more.

    Args:
        access: The gateway.
        namespace: Where it is published.
        name: What it was published by.
        timeout: Seconds to wait. A gateway that does not say so in time, or is away, will see to it when it can.

    Returns:
        Whether there was anything to delete.
    """
    deleted = delete_publication(access.client, namespace, name)
    deadline = time.monotonic() + timeout
    for key in deleted:
        if key.kind == SERVICE.kind:
            with suppress(NoGateway):
                access.reader.await_absence(key, wait=max(0.0, deadline - time.monotonic()))
    return bool(deleted)


def build_probe(publication: Publication) -> Call | None:
    """Build a request without effect that the publication's service answers; None where there is none.

    A shadow answers nobody. Of a redirect the answer that sends the client away is proof enough.
    """
    mapping = publication.mappings[0]
    if mapping.shadow or mapping.prefix_regex or mapping.method_regex or mapping.method not in {None, "GET"}:
        return None
    return build_call(mapping, "GET", publication.server.probe_path(publication.base))


def _wait_until_programmed(access: Access, publication: Publication, version: str, deadline: float) -> Source:
    key = publication.carrier
    while True:
        left = max(0.0, deadline - time.monotonic())
        source = access.reader.source(key, resource_version=version, wait=left)
        if is_as_new(source.resource_version, version):
            if source.state is SourceState.REJECTED:
                problems = [problem.as_problem() for problem in source.problems]
                raise MappingRejected(f"The gateway does not serve {key}:", problems)
            if source.state is SourceState.SERVING:
                return source
        if left == 0.0:
            raise _miss_programming(access, publication, source)


def _miss_programming(access: Access, publication: Publication, source: Source) -> NotServed:
    cause = access.reader.why_not_ready()
    if source.state is SourceState.UNKNOWN:
        cause = cause or f"does it follow namespace {publication.namespace}?"
        message = f"{publication.carrier} is applied, and the gateway has not seen it: {cause}"
        return NotServed(message, stage="accepted")
    cause = cause or "an Envoy is slow to acknowledge it"
    return NotServed(f"{publication.carrier} is read, and not yet served: {cause}", stage="programmed")


def _check_winner(access: Access, publication: Publication, probe: Call) -> None:
    """Make sure that the requests come to this publication, and not to a catch-all or a neighbour."""
    won = access.reader.explain(probe.method, probe.target, probe.headers)
    ours = {f"{publication.namespace}/{mapping.name}" for mapping in publication.mappings}
    if not ours.intersection(won.mappings):
        taker = " and ".join(won.mappings) or "no mapping"
        message = (
            f"{publication.name} is served, but {probe.method} {probe.path} goes to {taker}. Give it a path of its "
            "own with prefix=, or a higher precedence="
        )
        raise NotServed(message, stage="programmed")


def _wait_until_answered(
    access: Access, publication: Publication, probe: Call, *, deadline: float, source: Source
) -> None:
    pause = _FIRST_PAUSE
    while True:
        fault = _probe(access, publication, probe)
        if not fault:
            return
        if time.monotonic() >= deadline:
            hints = "".join(f"\n  {words}" for words in dict.fromkeys(problem.message for problem in source.problems))
            message = f"{publication.name} is routed to {publication.backend}, but does not answer: {fault}{hints}"
            raise NotServed(message, stage="answering")
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _probe(access: Access, publication: Publication, probe: Call) -> str:
    """Ask once; say what is wrong, "" when nothing is."""
    try:
        answer = probe.send(access.http, access.url, timeout=_PROBE_TIMEOUT)
    except RouteFailed as error:
        return str(error)
    words = find_gateways_words(answer, publication.mappings[0])
    if words is not None:
        return f"{words} ({answer.status} {answer.text})"
    fault = publication.server.judge_probe(publication.name, answer.status)
    return fault and (tell_denial(answer) or fault)
