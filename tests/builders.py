"""Objects in one line, for tests: what people write, as they write it, and what is read from it."""

from kfambassador.names import CONFIG_ANNOTATION, SERVICE_NAME_LABEL
from kfambassador.problems import ObjectKey, Origin
from kfambassador.resources.documents import write_documents
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import ResourceSet, SourcedMapping
from kfambassador.resources.objects import join_contributions, read_contribution
from kfambassador.routing.compile import compile_routes
from kfambassador.routing.model import Compiled
from kfambassador.routing.policy import TenancyPolicy

Manifest = dict[str, object]


def document(name: str = "m", /, **attributes: object) -> dict[str, object]:
    """A mapping as an annotation holds it; by default one that is in order."""
    return {
        "apiVersion": "ambassador/v1",
        "kind": "Mapping",
        "name": name,
        "prefix": f"/{name}/",
        "service": name,
        **attributes,
    }


def mapping(name: str = "m", /, **attributes: object) -> Mapping:
    """A mapping; by default one that is in order."""
    return Mapping.model_validate({"name": name, "prefix": f"/{name}/", "service": name, **attributes})


def sourced(
    name: str = "m", namespace: str = "default", /, *, created: str = "", number: int = 1, **attributes: object
) -> SourcedMapping:
    """A mapping as if read from the annotation of a Service of its name."""
    origin = Origin(ObjectKey("Service", namespace, name), document=number)
    return SourcedMapping(mapping(name, **attributes), origin, namespace=namespace, created=created)


def service(
    name: str = "m",
    namespace: str = "default",
    *documents: dict[str, object],
    annotation: str = "",
    ports: tuple[int | tuple[str, int], ...] = (80,),
    external_name: str = "",
    created: str = "",
    version: str = "1",
) -> Manifest:
    """A Service; its annotation is the text, or the documents written out."""
    text = annotation or (write_documents(*documents) if documents else "")
    spec: Manifest = {"ports": [_port(port) for port in ports]}
    if external_name:
        spec |= {"type": "ExternalName", "externalName": external_name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "resourceVersion": version,
            **({"creationTimestamp": created} if created else {}),
            **({"annotations": {CONFIG_ANNOTATION: text}} if text else {}),
        },
        "spec": spec,
    }


def slice_(
    name: str = "m",
    namespace: str = "default",
    *addresses: str,
    ports: tuple[int | tuple[str, int], ...] = (80,),
    suffix: str = "1",
    ready: bool = True,
) -> Manifest:
    """An EndpointSlice of the Service of that name."""
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-{suffix}",
            "namespace": namespace,
            "labels": {SERVICE_NAME_LABEL: name},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": ready}} for address in addresses],
        "ports": [_port(port) for port in ports],
    }


def resource_set(*items: Manifest | SourcedMapping, generation: int = 0) -> ResourceSet:
    """All that Kubernetes objects, and mappings already read, make known."""
    manifests = [item for item in items if not isinstance(item, SourcedMapping)]
    joined = join_contributions(map(read_contribution, manifests), generation=generation)
    return ResourceSet(
        mappings=(*joined.mappings, *(item for item in items if isinstance(item, SourcedMapping))),
        shared=joined.shared,
        services=joined.services,
        endpoints=joined.endpoints,
        secrets=joined.secrets,
        sources=joined.sources,
        problems=joined.problems,
        generation=generation,
    )


def compiled(*items: Manifest | SourcedMapping) -> Compiled:
    """What becomes of Kubernetes objects and mappings."""
    return compile_routes(resource_set(*items), TenancyPolicy.laptop())


def _port(port: int | tuple[str, int]) -> Manifest:
    name, number = port if isinstance(port, tuple) else ("", port)
    return {"port": number, **({"name": name} if name else {})}
