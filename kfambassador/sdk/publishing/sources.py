"""The ``service`` of ``expose`` where it names an object of the cluster, as kubectl writes it: ``deployment/mnist``."""

import re
from collections.abc import Mapping as Dict
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kfambassador.errors import Forbidden, MappingRejected, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import DEPLOYMENT, SERVICE, Kind
from kfambassador.problems import Fault, ObjectKey, Origin, suggest
from kfambassador.resources.fields import as_object, as_objects, as_text
from kfambassador.sdk.publishing.inference_services import (
    MODEL_MESH_PORT,
    MODEL_MESH_SERVICE,
    SERVICE_PORT,
    Mode,
    find_host,
    find_mode,
    find_model_name,
    find_protocol,
    find_runtime,
    list_service_names,
    tell_readiness,
)

if TYPE_CHECKING:
    from kfambassador.sdk.servers.base import ModelServer

_GROUP: Final = "serving.kserve.io"
INFERENCE_SERVICE: Final = Kind("InferenceService", "inferenceservices", "v1beta1", _GROUP)
SERVING_RUNTIME: Final = Kind("ServingRuntime", "servingruntimes", "v1alpha1", _GROUP)
CLUSTER_SERVING_RUNTIME: Final = Kind(
    "ClusterServingRuntime", "clusterservingruntimes", "v1alpha1", _GROUP, namespaced=False
)

#: The kinds, by all the names kubectl knows them by.
_KINDS: Final = {
    **dict.fromkeys(("service", "services", "svc"), SERVICE),
    **dict.fromkeys(("deployment", "deployments", "deploy", "deployment.apps", "deployments.apps"), DEPLOYMENT),
    **dict.fromkeys(
        ("inferenceservice", "inferenceservices", "isvc", f"inferenceservice.{_GROUP}", f"inferenceservices.{_GROUP}"),
        INFERENCE_SERVICE,
    ),
}
_NOTATION = re.compile(r"(?P<kind>[A-Za-z][A-Za-z0-9.-]*)/(?P<rest>.*)", re.DOTALL)
_REST = re.compile(r"(?P<name>[a-z0-9]([-a-z0-9.]*[a-z0-9])?)(:(?P<port>[a-z0-9]([-a-z0-9]*[a-z0-9])?))?")
#: What people call the port that speaks HTTP, likeliest first.
_HTTP_NAMES: Final = ("http", "http1", "rest", "rest-api", "http-api", "http-rest", "user-port", "web")
_HIGHEST_PORT: Final = 65535
_LONGEST_NAME: Final = 63
_HASH_DIGITS: Final = 8
_NAMES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model is, as the cluster tells it.

    Attributes:
        service: As it is written for a mapping.
        server: What kind of server it is; None where the object does not tell.
        attributes: What its mappings have to say.
        carrier: An existing Service whose own annotation shall carry the mappings; None makes one.
        manifests: Services to make first.
        message: Why the model is not ready as yet, in words; "" when nothing is known against it.
    """

    service: str
    server: "ModelServer | None" = None
    attributes: Dict[str, object] = field(default_factory=dict)
    carrier: ObjectKey | None = None
    manifests: tuple[dict[str, object], ...] = ()
    message: str = ""


class Reference(NamedTuple):
    """An object as kubectl writes it.

    Attributes:
        kind: Its kind.
        name: Its name.
        port: The port that was asked for, a number or a name; "" when none was.
        text: All of it as it was written.
    """

    kind: Kind
    name: str
    port: str
    text: str


class _Port(NamedTuple):
    number: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Search:
    """One question: what an object of a namespace comes to for one publication."""

    client: KubeClient
    asked: Reference
    name: str
    namespace: str
    server: "ModelServer | None"

    @property
    def key(self) -> ObjectKey:
        return ObjectKey(self.asked.kind.kind, self.namespace, self.asked.name)

    def refuse(self, code: str, message: str) -> MappingRejected:
        return _refuse(self.name, self.namespace, Fault(code, f"{self.asked.text!r}: {message}", path="service"))


def read_reference(text: str) -> Reference | None:
    """Read ``kind/name[:port]``; None where the text begins with no kind that is known here.

    Raises:
        ValueError: What follows the kind is no name, or no port.

    Example:
        >>> read_reference("deploy/mnist:http")[1:3], read_reference("https://mnist/"), read_reference("mnist.team:80")
        (('mnist', 'http'), None, None)
    """
    found = _NOTATION.fullmatch(text.strip())
    kind = _KINDS.get(found["kind"].lower()) if found else None
    if found is None or kind is None:
        return None
    rest = _REST.fullmatch(found["rest"])
    if rest is None or not _is_port(rest["port"] or ""):
        raise ValueError(
            f"expected a name and perhaps a port after the slash, as in '{found['kind']}/mnist:8501', got {text!r}"
        )
    return Reference(kind, rest["name"], rest["port"] or "", text)


def resolve_source(
    client: KubeClient, text: str, *, name: str, namespace: str, server: "ModelServer | None" = None
) -> Source | None:
    """Look up what ``kind/name[:port]`` stands for; None for a service that is written otherwise.

    - ``service/mnist``: that Service, whose own annotation then carries the mappings.
    - ``deployment/mnist``: its pods, before which a Service has to be made.
    - ``inferenceservice/iris``: a model of KServe's, with the protocol it speaks.

    Args:
        client: The Kubernetes API.
        text: What the caller wrote.
        name: The name to publish by.
        namespace: Where to publish, and to look.
        server: What kind of server the caller says it is; its usual port counts where several are to be had.

    Raises:
        MappingRejected: There is no such object, or it does not tell which port is meant.
        ApiError: The Kubernetes API refused.
    """
    try:
        asked = read_reference(text)
    except ValueError as error:
        raise _refuse(name, namespace, Fault("bad-service", str(error), path="service")) from error
    if asked is None:
        return None
    search = _Search(client, asked, name, namespace, server)
    manifest = _find(search)
    if asked.kind is SERVICE:
        return _read_service(search, manifest)
    return _read_deployment(search, manifest) if asked.kind is DEPLOYMENT else _read_inference_service(search, manifest)


def _is_port(port: str) -> bool:
    return not port.isdigit() or 0 < int(port) <= _HIGHEST_PORT


def _refuse(name: str, namespace: str, fault: Fault) -> MappingRejected:
    problem = fault.at(Origin(ObjectKey(SERVICE.kind, namespace, name)))
    return MappingRejected(f"{name} is not published in namespace {namespace}:", [problem])


def _find(search: _Search) -> dict[str, Any]:
    kind = search.asked.kind
    try:
        return search.client.get(kind, search.asked.name, namespace=search.namespace)
    except NotFound:
        try:
            found = search.client.list(kind, namespace=search.namespace).items
        except NotFound:
            message = (
                f"this cluster has no KServe ({kind.plural}.{kind.group} is not installed); name the model's Service "
                "or Deployment, such as 'deployment/mnist'"
            )
            raise search.refuse("no-such-kind", message) from None
        except Forbidden:
            found = ()
        names = [as_text(as_object(each.get("metadata")).get("name")) for each in found]
        raise search.refuse("no-such-object", f"there is no {search.key}{_tell_names(search, names)}") from None


def _tell_names(search: _Search, names: Sequence[str]) -> str:
    near = suggest(search.asked.name, names)
    if near or not names:
        return near
    more = ", ..." if len(names) > _NAMES_SHOWN else ""
    return f"; there are: {', '.join(sorted(names)[:_NAMES_SHOWN])}{more}"


def _read_service(search: _Search, manifest: Dict[str, object]) -> Source:
    spec = as_object(manifest.get("spec"))
    ports = [
        _Port(number, as_text(port.get("name")))
        for port in as_objects(spec.get("ports"))
        if isinstance(number := port.get("port"), int) and port.get("protocol", "TCP") == "TCP"
    ]
    host = f"{search.asked.name}.{search.namespace}"
    if spec.get("type") == "ExternalName" and (not ports or search.asked.port.isdigit()):
        # Its ports are nobody's: whatever is asked of it is asked of what its name leads to.
        return Source(f"{host}:{search.asked.port}" if search.asked.port else host, carrier=search.key)
    return Source(f"{host}:{_choose_port(search, ports, insists=True)}", carrier=search.key)


def _read_deployment(search: _Search, manifest: Dict[str, object]) -> Source:
    spec = as_object(manifest.get("spec"))
    selector = as_object(spec.get("selector"))
    labels = as_object(selector.get("matchLabels"))
    if selector.get("matchExpressions") or not labels:
        message = (
            f"{search.key} selects its pods by expressions, which a Service cannot; make a Service for them yourself "
            "and name that, such as 'service/mnist'"
        )
        raise search.refuse("unselectable", message)
    containers = as_objects(as_object(as_object(spec.get("template")).get("spec")).get("containers"))
    ports = [
        _Port(number, as_text(port.get("name")))
        for container in containers
        for port in as_objects(container.get("ports"))
        if isinstance(number := port.get("containerPort"), int) and port.get("protocol", "TCP") == "TCP"
    ]
    port = _choose_port(search, ports, insists=False)
    service = _name_service(search.name, search.asked.name)
    manifest_to_make: dict[str, object] = {
        "apiVersion": SERVICE.api_version,
        "kind": SERVICE.kind,
        "metadata": {"name": service, "namespace": search.namespace},
        "spec": {
            "selector": dict(labels),
            "ports": [{"name": "http", "port": port, "targetPort": port, "protocol": "TCP"}],
        },
    }
    message = _tell_pods(search, manifest)
    return Source(f"{service}.{search.namespace}:{port}", manifests=(manifest_to_make,), message=message)


def _tell_pods(search: _Search, manifest: Dict[str, object]) -> str:
    if as_object(manifest.get("spec")).get("replicas") == 0:
        return f"{search.key} is scaled to 0 replicas"
    available = as_object(manifest.get("status")).get("availableReplicas")
    return "" if available else f"{search.key} has no available pod yet"


def _name_service(name: str, deployment: str) -> str:
    """Name the Service before a Deployment's pods: no two publications share one, so each can take its own away."""
    full = f"{name}-to-{deployment}".replace(".", "-")
    if len(full) <= _LONGEST_NAME and "." not in deployment:
        return full
    digits = sha256(f"{name}/{deployment}".encode()).hexdigest()[:_HASH_DIGITS]
    return f"{full[: _LONGEST_NAME - _HASH_DIGITS - 1].rstrip('-')}-{digits}"


def _choose_port(search: _Search, ports: Sequence[_Port], *, insists: bool) -> int:
    """Choose the port that is meant.

    Args:
        search: What was asked.
        ports: Those the object tells of.
        insists: Whether there are no others; those of a container are only told, and any may be listened on.
    """
    asked, listed = search.asked.port, ", ".join(map(_tell_port, ports)) or "none"
    if asked:
        found = next((port.number for port in ports if asked in {str(port.number), port.name}), None)
        if found is None and (insists or not asked.isdigit()):
            raise search.refuse("no-such-port", f"{search.key} has no port {asked}; its ports are: {listed}")
        return found or int(asked)
    named = {port.name: port.number for port in reversed(ports)}
    for name in _HTTP_NAMES:
        if name in named:
            return named[name]
    numbers = {port.number for port in ports}
    if len(numbers) == 1:
        return numbers.pop()
    usual = search.server.port if search.server else None
    if usual is not None and (usual in numbers or (not numbers and not insists)):
        return usual
    choice = f"its ports are: {listed}" if ports else "it tells of no ports"
    message = f"{search.key} does not say which port is meant, and {choice}. Write it, as in '{search.asked.text}:8501'"
    raise search.refuse("no-port", message)


def _tell_port(port: _Port) -> str:
    return f"{port.number} ({port.name})" if port.name else str(port.number)


def _read_inference_service(search: _Search, manifest: Dict[str, object]) -> Source:
    before = _find_before(search, manifest)
    mode = find_mode(manifest, before)
    protocol = find_protocol(manifest, _find_runtime(search, find_runtime(manifest)))
    attributes: dict[str, object] = {}
    if mode is Mode.MODEL_MESH:
        service, port, protocol = MODEL_MESH_SERVICE, MODEL_MESH_PORT, "v2"
    else:
        service = as_text(as_object((before or {}).get("metadata")).get("name")) or list_service_names(manifest)[-1]
        port = SERVICE_PORT
    if mode is Mode.SERVERLESS:
        attributes["host_rewrite"] = find_host(manifest, service)
    if search.asked.port.isdigit():
        port = int(search.asked.port)
    elif search.asked.port:
        message = "a port of an InferenceService is a number; it is seldom needed, because KServe's Services use 80"
        raise search.refuse("no-such-port", message)
    reason = tell_readiness(manifest)
    return Source(
        f"{service}.{search.namespace}:{port}",
        server=_build_server(search, protocol, find_model_name(manifest), port=port),
        attributes=attributes,
        message=f"{search.key}: {reason}" if reason else "",
    )


def _find_before(search: _Search, manifest: Dict[str, object]) -> dict[str, Any] | None:
    """Find the Service that KServe made; None while there is none, or where it may not be read."""
    for name in list_service_names(manifest):
        try:
            return search.client.get(SERVICE, name, namespace=search.namespace)
        except (NotFound, Forbidden):
            continue
    return None


def _find_runtime(search: _Search, name: str) -> dict[str, Any] | None:
    """Find a ServingRuntime: the namespace's own, else the cluster's; None where neither may be read."""
    for kind in (SERVING_RUNTIME, CLUSTER_SERVING_RUNTIME) if name else ():
        try:
            return search.client.get(kind, name, namespace=search.namespace)
        except (NotFound, Forbidden):
            continue
    return None


def _build_server(search: _Search, protocol: str, model: str, *, port: int) -> "ModelServer":
    from kfambassador.sdk.servers.kserve import KServeV1, KServeV2

    try:
        if not protocol.endswith("v2"):
            return KServeV1(model=model)
        return KServeV2(model=model, grpc_port=port) if protocol.startswith("grpc") else KServeV2(model=model)
    except MappingRejected as error:
        message = f"its server calls the model {model!r}, which is no segment of a path; say server=HTTPServer()"
        raise search.refuse("bad-model-name", message) from error
