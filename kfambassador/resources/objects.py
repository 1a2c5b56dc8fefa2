"""Kubernetes objects, each read into what it contributes; and all contributions joined into a ResourceSet."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from kfambassador.names import CONFIG_ANNOTATION, DEFAULT_NAMESPACE
from kfambassador.problems import ObjectKey, Origin, Problem
from kfambassador.resources.annotation import Configuration, read_annotation, read_object
from kfambassador.resources.endpoints import EndpointSlice, read_endpoint_slice
from kfambassador.resources.expiry import Expiry, read_expiry, tell_expired
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.kinds import is_ambassadors
from kfambassador.resources.meta import ResourceSet, SourcedMapping, SourcedResource
from kfambassador.resources.secret import Secret, SecretKey, read_secret
from kfambassador.resources.service import Service, ServiceKey, read_service

T = TypeVar("T")

# What carries configuration in an annotation (Ambassador, "Configuration by annotation"). Anything else may be somebody
# else's to write, and a resource speaks for itself.
_CARRIERS = frozenset({"Service", "Ingress"})


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one Kubernetes object contributes.

    Attributes:
        origin: The object, and the resourceVersion it was read at.
        configuration: Its mappings and problems.
        configures: Whether it carries configuration at all.
        text: The annotation's text, "" when it has none.
        spec: What a custom resource says, with its apiVersion; None when it is none.
        created: Its creationTimestamp. What says the same and is as old need not be read again.
        expiry: Until when its mappings are served; None is for good.
        service: The Service it is, if it is one.
        endpoints: The EndpointSlice it is, if it is one.
        secret: The Secret it is, if it is one.
    """

    origin: Origin
    configuration: Configuration = field(default_factory=Configuration)
    configures: bool = False
    text: str = ""
    spec: object = None
    created: str = ""
    expiry: Expiry | None = None
    service: Service | None = None
    endpoints: EndpointSlice | None = None
    secret: Secret | None = None


def object_key(manifest: Dict[str, object]) -> ObjectKey:
    """Tell which object a manifest describes; a namespace that is not said is the default one."""
    metadata = as_object(manifest.get("metadata"))
    namespace = as_text(metadata.get("namespace")) or DEFAULT_NAMESPACE
    return ObjectKey(as_text(manifest.get("kind")), namespace, as_text(metadata.get("name")))


def read_contribution(
    manifest: Dict[str, object], *, file: str = "", before: Contribution | None = None
) -> Contribution:
    """Read a Kubernetes object.

    Args:
        manifest: The object, of any kind.
        file: The file it came from, if from one.
        before: What the object contributed last time. Where nothing changed the very same objects are kept, so that
            everything derived from them is still warm.
    """
    metadata = as_object(manifest.get("metadata"))
    key = object_key(manifest)
    origin = Origin(key, resource_version=as_text(metadata.get("resourceVersion")), file=file)
    contribution = Contribution(origin, created=as_text(metadata.get("creationTimestamp")))
    if is_ambassadors(manifest.get("apiVersion")):
        contribution = _read_custom_resource(contribution, manifest, before)
    elif key.kind == "Service":
        kept = before.service if before else None
        contribution = replace(contribution, service=_keep(kept, read_service(manifest)))
    elif key.kind == "EndpointSlice":
        known = before.endpoints if before else None
        contribution = replace(contribution, endpoints=_keep(known, read_endpoint_slice(manifest)))
    elif key.kind == "Secret":
        held = before.secret if before else None
        contribution = replace(contribution, secret=_keep(held, read_secret(manifest)))
    contribution = _read_config(contribution, metadata, before)
    return replace(contribution, expiry=read_expiry(metadata)) if contribution.configures else contribution


def _keep(before: T | None, now: T | None) -> T | None:
    """Prefer the object from before where nothing changed."""
    return before if before is not None and before == now else now


def _read_custom_resource(
    contribution: Contribution, manifest: Dict[str, object], before: Contribution | None
) -> Contribution:
    origin = contribution.origin
    fields = {key: manifest.get(key) for key in ("apiVersion", "kind", "metadata", "spec")}
    spec = (manifest.get("apiVersion"), manifest.get("spec"))
    if before is not None and before.spec == spec and before.created == contribution.created and not before.text:
        # Its status or labels changed, which is nobody's route.
        return replace(contribution, configuration=before.configuration, configures=True, spec=before.spec)
    namespace = origin.object.namespace if origin.object else DEFAULT_NAMESPACE
    configuration = read_object(fields, origin, namespace=namespace, created=contribution.created)  # type: ignore[arg-type]  # JSON
    return replace(contribution, configuration=configuration, configures=True, spec=spec)


def _read_config(contribution: Contribution, metadata: Dict[str, object], before: Contribution | None) -> Contribution:
    key = contribution.origin.object
    text = as_text(as_object(metadata.get("annotations")).get(CONFIG_ANNOTATION))
    if not text or key is None or key.kind not in _CARRIERS:
        return contribution
    if before is not None and before.text == text and before.created == contribution.created:
        return replace(contribution, configuration=before.configuration, configures=True, text=text)
    configuration = read_annotation(text, contribution.origin, namespace=key.namespace, created=contribution.created)
    return replace(contribution, configuration=configuration, configures=True, text=text)


def join_contributions(
    contributions: Iterable[Contribution], *, generation: int = 0, now: datetime | None = None
) -> ResourceSet:
    """Join what every object contributes into all that is known at one moment.

    Args:
        contributions: What each object contributes.
        generation: Counts changes.
        now: The moment, in UTC: mappings whose time is up are left out, and told of. Without it nothing expires.
    """
    mappings: list[SourcedMapping] = []
    shared: list[SourcedResource] = []
    problems: list[Problem] = []
    secrets: dict[SecretKey, Secret] = {}
    sources: dict[ObjectKey, str] = {}
    expiries: dict[ObjectKey, datetime] = {}
    expired: set[ObjectKey] = set()
    services: dict[ServiceKey, Service] = {}
    endpoints: dict[ServiceKey, tuple[EndpointSlice, ...]] = {}
    for each in contributions:
        configuration = each.configuration if each.expiry is None else _heed(each.expiry, each, now)
        mappings.extend(configuration.mappings)
        shared.extend(configuration.shared)
        problems.extend(configuration.problems)
        if each.configures and each.origin.object is not None:
            sources[each.origin.object] = each.origin.resource_version
            if each.expiry is not None and each.expiry.at is not None:
                expiries[each.origin.object] = each.expiry.at
                if configuration is not each.configuration:
                    expired.add(each.origin.object)
        if each.service is not None:
            services[each.service.key] = each.service
        if each.endpoints is not None:
            endpoints[each.endpoints.service] = (*endpoints.get(each.endpoints.service, ()), each.endpoints)
        if each.secret is not None:
            secrets[each.secret.key] = each.secret
    return ResourceSet(
        mappings=tuple(mappings),
        shared=tuple(shared),
        services=services,
        endpoints=endpoints,
        secrets=secrets,
        sources=sources,
        expiries=expiries,
        expired=frozenset(expired),
        problems=tuple(problems),
        generation=generation,
    )


def _heed(expiry: Expiry, contribution: Contribution, now: datetime | None) -> Configuration:
    """Leave out the mappings whose time is up.

    What an object says for everybody stays: a gateway whose AuthService ran out would be an open door.
    """
    configuration, origin = contribution.configuration, contribution.origin
    if expiry.fault is not None:
        return replace(configuration, problems=(*configuration.problems, expiry.fault.at(origin)))
    if expiry.at is None or origin.object is None or not expiry.is_over(now):
        return configuration
    kept = tuple(each for each in configuration.mappings if not expiry.concerns(each.mapping.name))
    if len(kept) == len(configuration.mappings):
        return configuration
    told = tell_expired(expiry.at, origin.object).at(origin)
    return replace(configuration, mappings=kept, problems=(*configuration.problems, told))
