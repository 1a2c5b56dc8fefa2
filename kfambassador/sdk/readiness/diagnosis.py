"""Why a publication does not answer: the likely cause and what to do, looked for where the missing step points."""

from collections.abc import Iterator
from typing import Final

from kfambassador.errors import NoGateway
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.model import Target
from kfambassador.routing.targets import is_address, read_target
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.http import Answer
from kfambassador.sdk.calling.meanings import find_gateways_words
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.readiness.backing import Backing
from kfambassador.sdk.readiness.listening import Speech, find_speech, is_known, is_loopback
from kfambassador.sdk.readiness.proof import DISAGREEMENT, UNANSWERED, Doubt
from kfambassador.sdk.readiness.status import ExposureStatus, Phase
from kfambassador.sdk.servers.base import ModelServer

_BAD_REQUEST: Final = 400
_DOMAIN: Final = ".cluster.local"
_SERVICE_LABELS: Final = 2


def diagnose(access: Access, publication: Publication, status: ExposureStatus, doubt: Doubt | None = None) -> str:
    """Say why a publication has come no further, and what to do: one cause a line, the likeliest first.

    What may not be read is said, not hidden. "" when nothing is missing, or the status says it all itself.

    Args:
        access: The gateway. Its Kubernetes API is asked with the caller's own rights.
        publication: What is published.
        status: How far it has come.
        doubt: What became of its probe, when one was sent.
    """
    if status.phase in {Phase.APPLIED, Phase.ACCEPTED}:
        return _suspect_gateway(access, publication, status)
    if doubt is None or doubt.code not in {UNANSWERED, DISAGREEMENT}:
        return ""
    if doubt.code == DISAGREEMENT:
        return _ask_readiness(access)
    return "\n".join(filter(None, _suspect_backend(access, publication, doubt)))


def _suspect_gateway(access: Access, publication: Publication, status: ExposureStatus) -> str:
    cause = _ask_readiness(access)
    if cause or access.reader.is_own:
        return cause
    if status.phase is Phase.ACCEPTED:
        return "an Envoy is slow to acknowledge it"
    if status.code == "outdated":
        return "is its controller cut off from the Kubernetes API?"
    return f"does it follow namespace {publication.namespace}?"


def _ask_readiness(access: Access) -> str:
    try:
        return access.reader.why_not_ready()
    except NoGateway as error:
        return str(error)


def _suspect_backend(access: Access, publication: Publication, doubt: Doubt) -> Iterator[str]:
    mapping, server = doubt.probe.mapping, doubt.probe.server
    target = read_target(mapping.service, namespace=publication.namespace, protected=bool(mapping.tls)).target
    if target is None or mapping.host_redirect:
        return
    if doubt.answer is not None and find_gateways_words(doubt.answer, mapping) is None:
        # It is the server that answered, so whatever stands before it is in order.
        yield _suspect_protocol(doubt.answer, mapping)
        return
    yield from _suspect_place(access, target, mapping, server)
    if access.reader.is_own:
        yield (
            f"{access.reader.place}: the table was compiled here, and whether the gateway serves the same could not be "
            "asked; who can reach its read API sees more"
        )


def _suspect_protocol(answer: Answer, mapping: Mapping) -> str:
    if answer.status == _BAD_REQUEST and "https" in answer.text.lower() and not mapping.tls:
        return f'the server there speaks TLS and was asked without: write service="https://{mapping.service}"'
    return ""


def _suspect_place(access: Access, target: Target, mapping: Mapping, server: ModelServer) -> Iterator[str]:
    if is_loopback(target.host):
        if access.is_here:
            yield _suspect_port(target, mapping, server)
        return
    if is_address(target):
        return
    key = _read_service(target.host)
    if key is not None:
        backing = Backing(access.client, key, target)
        fault = backing.find_fault()
        # A name of two labels may be one of DNS as well: where that knows it, there is a server to look at.
        if not fault or "." not in mapping.service or not _is_absent(fault) or not is_known(target.host):
            yield fault or ("" if backing.unread else _suspect_container(target, server))
            yield from backing.unread
            return
    elif not is_known(target.host):
        yield f"DNS does not know the name {target.host}, asked on this machine: is it spelt right?"
        return
    yield f"does a server listen at {target.host}:{target.port}, and does it speak {'TLS' if target.tls else 'HTTP/1'}?"


def _is_absent(fault: str) -> bool:
    return fault.startswith("there is no Service")


def _suspect_port(target: Target, mapping: Mapping, server: ModelServer) -> str:
    speech = find_speech(target.host, target.port)
    protected = bool(mapping.tls) or target.tls
    if speech is Speech.NOTHING:
        return (
            f"nothing listens on port {target.port} of this machine: start the model server, or name its port with "
            "service="
        )
    if speech is Speech.TLS and not protected:
        return (
            f"what listens on port {target.port} of this machine speaks TLS, and is asked without: write "
            f'service="https://localhost:{target.port}"'
        )
    if speech is not Speech.TLS and protected:
        return f"what listens on port {target.port} of this machine does not speak TLS: leave https:// and tls= out"
    if speech is Speech.HTTP2 and not mapping.grpc:
        usual = f"; its HTTP port usually is {server.port}" if server.port != target.port else ""
        return f"what listens on port {target.port} of this machine speaks HTTP/2 only, as gRPC does{usual}"
    return ""


def _suspect_container(target: Target, server: ModelServer) -> str:
    return (
        f"its endpoints are ready, and do not answer there: does the container listen on all addresses (0.0.0.0, not "
        f"127.0.0.1), at the Service's targetPort, and in HTTP/1? Its usual port is {server.port}"
        if not target.tls
        else "its endpoints are ready, and do not answer there: do they speak TLS at the Service's targetPort?"
    )


def _read_service(host: str) -> ServiceKey | None:
    """The Service a name would be: ``mnist.team``, ``mnist.team.svc`` or with the cluster's domain.

    Example:
        >>> _read_service("mnist.team.svc.cluster.local"), _read_service("models.example.org")
        (ServiceKey(namespace='team', name='mnist'), None)
    """
    labels = host.removesuffix(".").removesuffix(_DOMAIN).removesuffix(".svc").split(".")
    return ServiceKey(labels[1], labels[0]) if len(labels) == _SERVICE_LABELS else None
