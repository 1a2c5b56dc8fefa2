"""What ``expose`` does with a cluster: find the model, ask whose the name and the path are, and apply."""

from collections.abc import Mapping as Dict
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from kfambassador.errors import MappingRejected, NoGateway
from kfambassador.kube.client import KubeClient
from kfambassador.names import DEFAULT_NAMESPACE
from kfambassador.problems import Fault, ObjectKey
from kfambassador.resources.expiry import write_moment
from kfambassador.sdk.access import Access
from kfambassador.sdk.attributes import ExposeArguments, MappingAttributes
from kfambassador.sdk.publishing.asked import check_asked, check_place
from kfambassador.sdk.publishing.claims import find_holder, find_race
from kfambassador.sdk.publishing.objects import apply_plan, delete_publication, list_publications, retry_behind_others
from kfambassador.sdk.publishing.owners import who_am_i
from kfambassador.sdk.publishing.planning import Plan, Wish, build_plan, locate
from kfambassador.sdk.publishing.publication import Manifest, Publication, place, reject, write_carrier
from kfambassador.sdk.publishing.sources import Source, read_reference, resolve_source
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.tfserving import TFServing

_USUAL: Final = TFServing()
_SHORTEST_TTL: Final = 1.0
_LONGEST_ABSENCE: Final = 10.0


class Published(NamedTuple):
    """What was published.

    Attributes:
        publication: How.
        version: The resourceVersion of its carrier.
        doubt: Why the model may not answer yet, as its own object tells; "" when nothing is known against it.
        before: What was published by that name until then; None when nothing was.
    """

    publication: Publication
    version: str
    doubt: str
    before: Publication | None

    def tell_way_back(self) -> str:
        """Say where the name led before, and how to go back; "" when it led nowhere else."""
        if self.before is None or self.before.backend == self.publication.backend:
            return ""
        return f"before, it led to {self.before.backend}, and does so again when it is published with that once more"


def publish(access: Access, name: str, arguments: ExposeArguments, *, take_over: bool) -> Published:
    """Publish a model.

    Args:
        access: The gateway.
        name: The name to publish by.
        arguments: What the caller of ``expose`` said.
        take_over: Whether what another person published by that name is replaced.

    Raises:
        MappingRejected: Something of it is at fault, or somebody else holds the name or the path.
        ApiError: The Kubernetes API refused.
    """
    # Whatever others change meanwhile is looked at again, and kept, or refused for its owner's sake.
    return retry_behind_others(lambda: _publish_once(access, name, arguments, take_over=take_over))


def _publish_once(access: Access, name: str, arguments: ExposeArguments, *, take_over: bool) -> Published:
    plan, before, seen, doubt = prepare(access, name, arguments)
    publication = plan.publication
    if before is not None and not take_over:
        _refuse_other_owner(publication, before)
    # Who says a weight, or asks for copies, means to share what is there.
    shares_on_purpose = arguments.get("weight") is not None or bool(arguments.get("shadow"))
    if not shares_on_purpose:
        _refuse_held(access.client, publication)
    version = apply_plan(access.client, plan, force=take_over, seen=seen)
    if before is not None and before.carrier != publication.carrier:
        # Until the gateway has seen the other go, it says that the names are taken.
        with suppress(NoGateway):
            access.reader.await_absence(before.carrier, wait=_LONGEST_ABSENCE)
    if before is None and not shares_on_purpose:
        _withdraw_if_late(access.client, publication)
    return Published(publication, version, doubt, before)


class Prepared(NamedTuple):
    """What publishing a model comes to.

    Attributes:
        plan: What to make.
        before: What is published by that name already; None when nothing is.
        seen: The resourceVersion of its carrier; "" where the plan has a carrier that is not there yet.
        doubt: Why the model may not answer yet; "" when nothing is known against it.
    """

    plan: Plan
    before: Publication | None
    seen: str
    doubt: str


def prepare(access: Access, name: str, arguments: ExposeArguments) -> Prepared:
    """Work out what publishing a model comes to, and change nothing."""
    namespace = arguments.get("namespace") or access.client.default_namespace
    _refuse_types(ObjectKey("Service", namespace, name), arguments)
    found = [*list_publications(access.client, namespace, name=name)]
    wish = _build_wish(name, arguments, namespace=namespace)
    said = arguments.get("server")
    source = find_source(access.client, wish.service, name=name, namespace=namespace, server=said)
    before, version = found[0] if found else (None, "")
    found_out = (source.server if source else None) or (before.server if before else None)
    server = said or found_out or _USUAL
    owner = who_am_i(access.client, access.place)
    wish = replace(wish, server=server, reaches_here=access.is_here, source=source, owner=owner, before=before)
    plan = build_plan(wish)
    _refuse_gateway(access, plan.publication)
    seen = version if before is not None and before.carrier == plan.publication.carrier else ""
    return Prepared(plan, before, seen, source.message if source else "")


def plan_offline(name: str, arguments: ExposeArguments) -> list[Manifest]:
    """Write the objects of a publication without asking any cluster.

    Raises:
        MappingRejected: Something of it is at fault, or only a cluster could tell.
    """
    namespace = arguments.get("namespace") or DEFAULT_NAMESPACE
    _refuse_types(ObjectKey("Service", namespace, name), arguments)
    wish = _build_wish(name, arguments, namespace=namespace)
    if isinstance(wish.service, str) and _names_object(wish.service):
        words = f"{wish.service!r} is looked up in a cluster; without one say where the model is, such as 'mnist:8501'"
        raise _refuse(ObjectKey("Service", namespace, name), "service", words, code="unknown-service")
    plan = build_plan(replace(wish, reaches_here=True))
    return [*plan.services, write_carrier(plan.publication)]


def find_source(
    client: KubeClient, service: str | int | None, *, name: str, namespace: str, server: ModelServer | None = None
) -> Source | None:
    """Look up what ``kind/name`` stands for; None for a service that is written otherwise."""
    if not isinstance(service, str):
        return None
    return resolve_source(client, service, name=name, namespace=namespace, server=server)


def locate_variant(
    access: Access,
    publication: Publication,
    service: str | int,
    *,
    server: ModelServer | None,
    attributes: Dict[str, object],
) -> Source:
    """Find where a variant is, and what goes with that."""
    name, namespace = publication.name, publication.namespace
    if faults := place(publication.carrier, check_place(service, server)):
        raise reject(publication.carrier, faults)
    server = server or publication.server
    source = find_source(access.client, service, name=name, namespace=namespace, server=server)
    backend = locate(
        source.service if source else service,
        name=name,
        namespace=namespace,
        attributes={**publication.attributes, **attributes},
        reaches_here=access.is_here,
    )
    if source is None:
        return Source(str(backend), attributes=attributes)
    return replace(source, service=str(backend), attributes={**source.attributes, **attributes})


def write_end(ttl: float | timedelta | None) -> str:
    """Write the moment at which a time to live ends, "" for none.

    Args:
        ttl: Seconds, or a timedelta; at least one second.

    Raises:
        MappingRejected: It is no time to live.

    Example:
        >>> write_end(None), write_end(60)[-1]
        ('', 'Z')
    """
    if ttl is None:
        return ""
    seconds = ttl.total_seconds() if isinstance(ttl, timedelta) else ttl
    if not seconds >= _SHORTEST_TTL:
        raise MappingRejected(f"ttl: expected at least one second, got {ttl!r}; None is for ever")
    try:
        return write_moment(datetime.now(UTC) + timedelta(seconds=seconds))
    except OverflowError as error:
        words = f"ttl: expected a time that ends before the year 10000, got {ttl!r}; None is for ever"
        raise MappingRejected(words) from error


def _build_wish(name: str, arguments: ExposeArguments, *, namespace: str) -> Wish:
    own = ExposeArguments.__annotations__.keys() - MappingAttributes.__annotations__.keys()
    said: dict[str, object] = {key: value for key, value in arguments.items() if key not in own}
    return Wish(
        name=name,
        service=arguments.get("service"),
        server=arguments.get("server") or _USUAL,
        namespace=namespace,
        attributes=said,
        labels=arguments.get("object_labels") or {},
        expires_at=write_end(arguments.get("ttl")),
    )


def _refuse_types(key: ObjectKey, arguments: ExposeArguments) -> None:
    if faults := place(key, check_asked(key.name, {**arguments})):
        raise reject(key, faults)


def _names_object(service: str) -> bool:
    try:
        return read_reference(service) is not None
    except ValueError:
        return True


def _refuse_other_owner(publication: Publication, before: Publication) -> None:
    if before.owner and before.owner != publication.owner:
        words = (
            f"{before.name!r} is published by {before.owner} already (to {before.backend}), and you are "
            f"{publication.owner}. It is left alone: publish by another name, or say take_over=True"
        )
        raise _refuse(before.carrier, "name", words, code="name-taken")


def _refuse_gateway(access: Access, publication: Publication) -> None:
    """Refuse to publish the gateway behind itself: every request would go round for ever."""
    own = urlsplit(access.url).netloc
    if access.is_here and publication.stable.service in {own, f"http://{own}"}:
        words = f"{own} is the gateway itself; say where the model server listens"
        raise _refuse(publication.carrier, "service", words, code="unknown-service")


def _refuse_held(client: KubeClient, publication: Publication) -> None:
    holder = find_holder(client, publication)
    if holder is not None:
        raise _refuse(publication.carrier, "prefix", str(holder), code="prefix-taken")


def _withdraw_if_late(client: KubeClient, publication: Publication) -> None:
    """Look again: who published the same path at the same moment, and first, keeps it."""
    holder = find_race(client, publication)
    if holder is not None:
        delete_publication(client, publication.namespace, publication.name)
        raise _refuse(publication.carrier, "prefix", str(holder), code="prefix-taken")


def _refuse(key: ObjectKey, path: str, words: str, *, code: str) -> MappingRejected:
    return reject(key, place(key, [Fault(code, words, path=path)]))
