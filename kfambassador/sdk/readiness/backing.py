"""What stands behind a Service of the cluster, followed from its name to its pods until something is missing."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field
from typing import Final

from kfambassador.errors import ApiError, Forbidden, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import ENDPOINT_SLICE, POD, SERVICE, Kind
from kfambassador.kube.pods import is_ready
from kfambassador.names import MANAGED_BY, MANAGED_BY_LABEL, SERVICE_NAME_LABEL
from kfambassador.problems import suggest
from kfambassador.resources.fields import as_object, as_objects, as_text, as_texts
from kfambassador.resources.service import ServiceKey
from kfambassador.routing.model import Target
from kfambassador.sdk.readiness.listening import is_known
from kfambassador.sdk.readiness.pods import list_ports, tell_pods

_MOST_NAMED: Final = 5

Manifest = Dict[str, object]


@dataclass(frozen=True, slots=True)
class Backing:
    """Looks behind one Service.

    Attributes:
        client: The Kubernetes API.
        key: The Service.
        target: What the mapping says: the name as it was written, and the port.
        unread: What could not be looked at, in words, so that it is said and not hidden.
    """

    client: KubeClient
    key: ServiceKey
    target: Target
    unread: list[str] = field(default_factory=list)

    def find_fault(self) -> str:
        """Say what is missing and what to do about it; "" when a ready endpoint is there, or nobody may look."""
        try:
            found = self.client.get(SERVICE, self.key.name, namespace=self.key.namespace)
        except NotFound:
            return self._tell_absent()
        except ApiError as error:
            self._note(error, "get", SERVICE)
            return ""
        spec = as_object(found.get("spec"))
        outside = as_text(spec.get("externalName"))
        if outside:
            known = is_known(outside)
            return "" if known else f"{self} stands for {outside}, a name that DNS does not know: mend externalName"
        port = next((port for port in as_objects(spec.get("ports")) if port.get("port") == self.target.port), None)
        return self._tell_ports(spec) if port is None else self._follow(spec, port)

    def __str__(self) -> str:
        return f"Service {self.key.namespace}/{self.key.name}"

    def _follow(self, spec: Manifest, port: Manifest) -> str:
        slices = self._list(ENDPOINT_SLICE, f"{SERVICE_NAME_LABEL}={self.key.name}")
        if slices is None:
            return ""
        selector = {name: str(value) for name, value in as_object(spec.get("selector")).items()}
        ready = sorted(set(_list_ready(slices, as_text(port.get("name")))))
        if not selector:
            return "" if ready else self._tell_unselected(bool(slices))
        pods = self._list(POD, ",".join(f"{name}={value}" for name, value in selector.items()))
        if pods is None:
            return ""
        if not pods:
            return "" if ready else self._tell_unmatched(selector)
        return self._tell_port_mismatch(port, pods) if ready else self._tell_unready(selector, port, pods)

    def _tell_absent(self) -> str:
        listed = self._list(SERVICE)
        names = sorted(_name_of(service) for service in listed or () if not _only_carries(service))
        near = suggest(self.key.name, names)
        known = f"; the Services there: {_enumerate(names)}" if names else ""
        there = near or f"{known}."  # a question needs no full stop
        return f"there is no {self}{there} Create it, or say with service= where the model is"

    def _tell_ports(self, spec: Manifest) -> str:
        ports = as_objects(spec.get("ports"))
        shown = ", ".join(_tell_port(port) for port in ports) or "none"
        advice = f'; name one of them, as in service="{self.key.name}:{ports[0].get("port")}"' if ports else ""
        return f"{self} has no port {self.target.port}; its ports are {shown}{advice}"

    def _tell_unselected(self, has_slices: bool) -> str:  # noqa: FBT001 - the one caller knows
        missing = "no endpoint of its EndpointSlices is ready" if has_slices else "there is no EndpointSlice for it"
        return (
            f"{self} has no selector, and {missing}: give it the selector of the model's pods, or publish their "
            f'Deployment with service="deployment/NAME"'
        )

    def _tell_unmatched(self, selector: Dict[str, str]) -> str:
        others = self._list(POD) or ()
        near = sorted(
            {
                f"{name}={value}"
                for pod in others
                for name, value in as_object(as_object(pod.get("metadata")).get("labels")).items()
                if name in selector
            }
        )
        there = f"; pods there have {_enumerate(near)}" if near else ""
        empty = "; there is no pod at all" if self._is_empty(others) else ""
        return (
            f"the selector of {self}, {_write(selector)}, matches no pod of namespace {self.key.namespace}{there}"
            f"{empty}. Start the model's pods, or mend the selector"
        )

    def _is_empty(self, pods: Sequence[Manifest]) -> bool:
        return not pods and not self.unread

    def _tell_unready(self, selector: Dict[str, str], port: Manifest, pods: Sequence[Manifest]) -> str:
        unready = [pod for pod in pods if not is_ready(pod)]
        if len(unready) == len(pods):
            return f"none of the pods behind {self} ({_write(selector)}) is ready: {tell_pods(unready)}"
        return self._tell_port_mismatch(port, pods) or f"{self} has ready pods, and no endpoint yet: wait a moment"

    def _tell_port_mismatch(self, port: Manifest, pods: Sequence[Manifest]) -> str:
        """Say where a Service sends requests to a port that no container declares; declaring them is optional."""
        declared = list_ports(pods)
        wanted = port.get("targetPort", port.get("port"))
        if not declared or wanted in declared or wanted in declared.values():
            return ""
        shown = ", ".join(f"{number} ({name})" if name else str(number) for number, name in sorted(declared.items()))
        return (
            f"port {port.get('port')} of {self} leads to port {wanted} of its pods, and their containers declare "
            f"{shown}: set the Service's targetPort to one of these"
        )

    def _list(self, kind: Kind, selector: str | None = None) -> tuple[Manifest, ...] | None:
        """List what may be listed; None when it may not."""
        try:
            return self.client.list(kind, namespace=self.key.namespace, label_selector=selector).items
        except ApiError as error:
            self._note(error, "list", kind)
            return None

    def _note(self, error: ApiError, verb: str, kind: Kind) -> None:
        what = f"{kind.plural} in namespace {self.key.namespace}"
        if isinstance(error, Forbidden):
            self.unread.append(
                f"not looked at, because you may not {verb} {what}; a role that allows it would tell more"
            )
        else:
            self.unread.append(f"not looked at, because to {verb} {what} failed: {error}")


def _only_carries(service: Manifest) -> bool:
    """Whether a Service is one of ours that leads nowhere and only carries configuration."""
    ours = as_object(as_object(service.get("metadata")).get("labels")).get(MANAGED_BY_LABEL) == MANAGED_BY
    return ours and not as_object(service.get("spec")).get("selector")


def _list_ready(slices: Sequence[Manifest], port_name: str) -> Iterator[str]:
    for each in slices:
        ports = [port for port in as_objects(each.get("ports")) if as_text(port.get("name")) == port_name]
        for endpoint in as_objects(each.get("endpoints")):
            if ports and as_object(endpoint.get("conditions")).get("ready") is not False:
                yield from as_texts(endpoint.get("addresses"))


def _tell_port(port: Manifest) -> str:
    number, name, inner = port.get("port"), as_text(port.get("name")), port.get("targetPort", port.get("port"))
    return f"{number}{f' ({name})' if name else ''}{f' to {inner} of the pods' if inner != number else ''}"


def _write(selector: Dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(selector.items()))


def _enumerate(names: Sequence[str]) -> str:
    return ", ".join([*names[:_MOST_NAMED], *(["…"] if len(names) > _MOST_NAMED else [])])


def _name_of(manifest: Manifest) -> str:
    return as_text(as_object(manifest.get("metadata")).get("name"))
