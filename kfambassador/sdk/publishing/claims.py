"""Who else holds a match that is to be published: one and the same match is one route, shared by all that have it."""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from kfambassador.errors import Forbidden, NotFound
from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import INGRESS, MAPPING, SERVICE, Kind
from kfambassador.names import CONFIG_ANNOTATION, EXPOSURE_LABEL
from kfambassador.problems import ObjectKey
from kfambassador.resources.fields import as_object, as_text
from kfambassador.resources.mapping import Mapping
from kfambassador.resources.meta import SourcedMapping, rank_by_age
from kfambassador.resources.objects import object_key, read_contribution
from kfambassador.routing.matches import build_match
from kfambassador.routing.order import OrderKey, build_order_key
from kfambassador.sdk.publishing.annotations import find_documents, list_exposures, take_documents
from kfambassador.sdk.publishing.owners import owner_of

if TYPE_CHECKING:
    from kfambassador.sdk.publishing.publication import Publication

#: What carries mappings, by its annotation or by itself.
_CARRIERS: Final = (SERVICE, INGRESS, MAPPING)

#: A word that YAML can only write as it is, unless there is a backslash in the text: no white space, no quotes.
_PLAIN_WORD = re.compile(r"[A-Za-z/][^\s'\"\\]*")


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody else's mapping that is in the way.

    Attributes:
        object: The object that carries it.
        mapping: Its name.
        wanted: The mapping that it is in the way of.
        owner: Whose the object is, in words.
        by_name: Whether it is in the way by its name, rather than by its match.
    """

    object: ObjectKey
    mapping: str
    wanted: Mapping
    owner: str
    by_name: bool = False

    def __str__(self) -> str:
        """What is held by whom, and what to do about it, as one sentence without a full stop."""
        held = f"by mapping {self.mapping} of {self.object} ({self.owner})"
        if self.by_name:
            return f"the name {self.mapping} is held {held}; publish by another name, or ask there"
        return (
            f"the prefix {self.wanted.prefix}{_tell_conditions(self.wanted)} is held {held}; publish under another "
            "prefix, or ask there"
        )


@dataclass(frozen=True, slots=True)
class _Claim:
    """A mapping as it stands in the namespace, and the object it stands in."""

    sourced: SourcedMapping
    manifest: Dict[str, object]
    is_own: bool


def find_holder(client: KubeClient, publication: "Publication") -> Holder | None:
    """Find who else in the namespace holds a name or a match of a publication; None when nobody does.

    Two mappings with the same match are one route and share its requests, which nobody wants of a stranger's model.
    What may not be listed is passed over, and so is what has expired. What the publication itself holds already is no
    new claim: whoever joined it later meant to.

    Args:
        client: The Kubernetes API.
        publication: What is to be published.
    """
    claims = [*_read_claims(client, publication)]
    held = {identify(claim.sourced.mapping) for claim in claims if claim.is_own}
    named = {claim.sourced.mapping.name for claim in claims if claim.is_own}
    wanted = [mapping for mapping in publication.mappings if identify(mapping) not in held]
    unnamed = [mapping for mapping in publication.mappings if mapping.name not in named]
    others = sorted((claim for claim in claims if not claim.is_own), key=lambda claim: rank_by_age(claim.sourced))
    found = (*_find_matches(wanted, others), *_find_names(unnamed, others))
    return found[0] if found else None


def find_race(client: KubeClient, publication: "Publication") -> Holder | None:
    """Find who published the same at the same time, and came first; None when nobody did.

    To be asked after applying: of two who both saw nobody before, the one that comes later sees the other, and
    withdraws.

    Args:
        client: The Kubernetes API.
        publication: What has been published.
    """
    claims = [*_read_claims(client, publication)]
    mine = {identify(claim.sourced.mapping): claim.sourced for claim in claims if claim.is_own}
    others = [claim for claim in claims if not claim.is_own]
    for claim in others:
        for holder in _find_matches(publication.mappings, [claim]):
            own = mine.get(identify(holder.wanted))
            if own is not None and is_younger(own, claim.sourced):
                return holder
    return None


def is_younger(mine: SourcedMapping, theirs: SourcedMapping) -> bool:
    """Tell which of two claims came later.

    The objects' versions say so: all servers of Kubernetes count them upwards. An object's age does not: somebody may
    annotate an old Service today, and timestamps are whole seconds. It counts, as between mappings, where a version is
    no number.

    Example:
        >>> from kfambassador.problems import Origin
        >>> first, second = (
        ...     SourcedMapping(Mapping(name="m", prefix="/m/", service="m"), Origin(resource_version=version), "team")
        ...     for version in ("9", "10")
        ... )
        >>> is_younger(second, first), is_younger(first, second)
        (True, False)
    """
    versions = mine.origin.resource_version, theirs.origin.resource_version
    if all(version.isdigit() for version in versions) and versions[0] != versions[1]:
        return int(versions[0]) > int(versions[1])
    return rank_by_age(mine) > rank_by_age(theirs)


def identify(mapping: Mapping) -> OrderKey:
    """Give what two mappings have in common exactly when they are one route: the place of their route among all.

    Example:
        >>> plain = Mapping(name="a", prefix="/m/", service="a", host="A.com:80")
        >>> canary = Mapping(name="b", prefix="/m/", service="b", host="a.com", weight=10)
        >>> identify(plain) == identify(canary)
        True
    """
    return build_order_key(build_match(mapping), mapping.precedence)


def _find_matches(wanted: Iterable[Mapping], others: Iterable[_Claim]) -> Iterator[Holder]:
    by_match = {identify(mapping): mapping for mapping in wanted}
    for claim in others:
        mapping = by_match.get(identify(claim.sourced.mapping))
        if mapping is not None and not set(mapping.ambassador_id).isdisjoint(claim.sourced.mapping.ambassador_id):
            yield _describe(claim, mapping)


def _find_names(wanted: Iterable[Mapping], others: Iterable[_Claim]) -> Iterator[Holder]:
    by_name = {mapping.name: mapping for mapping in wanted}
    for claim in others:
        mapping = by_name.get(claim.sourced.mapping.name)
        if mapping is not None:
            yield _describe(claim, mapping, by_name=True)


def _describe(claim: _Claim, wanted: Mapping, *, by_name: bool = False) -> Holder:
    key, mapping = object_key(claim.manifest), claim.sourced.mapping
    return Holder(key, mapping.name, wanted, owner_of(claim.manifest), by_name)


def _tell_conditions(mapping: Mapping) -> str:
    """Say which other conditions a match has, in words that begin with a blank."""
    host, headers = mapping.hostname or mapping.host, {**mapping.headers, **mapping.regex_headers}
    parts = [
        f"method {mapping.method}" if mapping.method else "",
        f"host {host}" if host and host != "*" else "",
        f"headers {', '.join(sorted(headers))}" if headers else "",
    ]
    said = " and ".join(part for part in parts if part)
    return f" with {said}" if said else ""


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of which one stands in every text with a name or a prefix of a publication.

    Among a thousand exposures nearly all are told apart by this: reading what all of them say takes seconds.

    Attributes:
        words: The words; none when a text may write one of them otherwise.
        whole: Finds one of them as a whole.
    """

    words: frozenset[str]
    whole: re.Pattern[str]

    @classmethod
    def of(cls, publication: "Publication") -> "_Words":
        names = {publication.name, *(mapping.name for mapping in publication.mappings)}
        words = names | {mapping.prefix for mapping in publication.mappings}
        whole = re.compile(rf"(?<![\w./-])(?:{'|'.join(map(re.escape, words))})(?![\w./-])")
        if not all(map(_PLAIN_WORD.fullmatch, words)):
            return cls(frozenset(), whole)
        return cls(frozenset(word for word in words if not any(other in word for other in words - {word})), whole)

    def may_be_in(self, text: str) -> bool:
        """Tell whether a text can say one of them."""
        if not self.words or "\\" in text:
            return True
        return any(word in text for word in self.words) and self.whole.search(text) is not None


def _read_claims(client: KubeClient, publication: "Publication") -> Iterator[_Claim]:
    now, words = datetime.now(UTC), _Words.of(publication)
    for kind in _CARRIERS:
        for manifest in _list(client, kind, publication.namespace):
            if kind is not MAPPING and not words.may_be_in(_read_text(manifest)):
                continue
            own, others = _divide(manifest, publication)
            for part, is_own in ((own, True), (others, False)):
                yield from (_Claim(sourced, manifest, is_own) for sourced in _read_served(part, now))


def _read_served(manifest: Dict[str, object] | None, now: datetime) -> Iterator[SourcedMapping]:
    """Read the mappings of an object; those whose time is up hold nothing any more."""
    contribution = read_contribution(manifest or {})
    expiry = contribution.expiry
    for sourced in contribution.configuration.mappings:
        if expiry is None or not (expiry.is_over(now) and expiry.concerns(sourced.mapping.name)):
            yield sourced


def _list(client: KubeClient, kind: Kind, namespace: str) -> Iterable[dict[str, Any]]:
    try:
        return client.list(kind, namespace=namespace).items
    except (Forbidden, NotFound):
        return ()


def _divide(
    manifest: Dict[str, object], publication: "Publication"
) -> tuple[Dict[str, object] | None, Dict[str, object] | None]:
    """Divide an object into what the publication wrote and what others did; None where that is nothing."""
    metadata = as_object(manifest.get("metadata"))
    text, name = _read_text(manifest), publication.name
    if name in list_exposures(text):
        own, others = find_documents(text, exposure=name), take_documents(text, exposure=name)
        return _rewrite(manifest, own), _rewrite(manifest, others)
    if as_object(metadata.get("labels")).get(EXPOSURE_LABEL) == name:
        return manifest, None
    return None, manifest


def _read_text(manifest: Dict[str, object]) -> str:
    annotations = as_object(as_object(manifest.get("metadata")).get("annotations"))
    return as_text(annotations.get(CONFIG_ANNOTATION))


def _rewrite(manifest: Dict[str, object], text: str) -> Dict[str, object]:
    metadata = as_object(manifest.get("metadata"))
    annotations = {**as_object(metadata.get("annotations")), CONFIG_ANNOTATION: text}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}
