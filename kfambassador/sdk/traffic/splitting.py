"""Who gets a model's requests: canaries, promotion, roll-back, shadows; each change is a new publication. Pure."""

from collections.abc import Mapping as Dict
from dataclasses import replace

from pydantic import ValidationError

from kfambassador.errors import MappingRejected
from kfambassador.problems import Fault
from kfambassador.resources.validation import describe_refusals
from kfambassador.sdk.publishing.publication import Publication, compose, place, reject
from kfambassador.sdk.publishing.variants import STABLE, Variant, list_answering

_WHOLE = 100
_ANSWERLESS = {"host_redirect": "sends its clients elsewhere", "shadow": "gets copies of another's requests"}


def put_variant(publication: Publication, fields: Dict[str, object]) -> Publication:
    """Add a variant, or change the one of that name.

    Args:
        publication: What is published.
        fields: The fields of a :class:`~kfambassador.sdk.publishing.variants.Variant`.

    Raises:
        MappingRejected: A field is at fault, or the shares exceed the whole.
    """
    try:
        variant = Variant.model_validate(fields)
    except ValidationError as error:
        raise reject(publication.carrier, place(publication.carrier, describe_refusals(error, fields))) from error
    if variant.weight is None and not variant.shadow:
        raise _refuse(publication, "weight", "expected a share in percent, got nothing")
    if variant.name == STABLE:
        raise _refuse(publication, "name", "'stable' is the variant that takes what the others leave; name another")
    if publication.attributes.get("weight") is not None:
        words = "this was published with a weight of its own, as a part of somebody's split; publish it without"
        raise _refuse(publication, "weight", words)
    for kind, does in _ANSWERLESS.items():
        if publication.attributes.get(kind):
            raise _refuse(publication, kind, f"this {does} and answers nobody: there is nothing to share")
    others = tuple(each for each in publication.variants if each.name != variant.name)
    if any(each.service == variant.service for each in others) and "cluster_tag" not in variant.attributes:
        # One server for both: without a tag Envoy would count, and limit, them as one.
        usual = f"{publication.name}-{variant.name}"
        # Once promoted, an earlier variant of that name has its tag.
        taken = {each.attributes.get("cluster_tag") for each in others}
        tagged = {**variant.attributes, "cluster_tag": f"{usual}-2" if usual in taken else usual}
        variant = variant.model_copy(update={"attributes": tagged})
    return _share(publication, (*others, variant))


def weigh(publication: Publication, weights: Dict[str, int]) -> Publication:
    """Give variants other shares, in percent; the stable one takes what is left.

    Raises:
        MappingRejected: There is no such variant, or the shares exceed the whole.
    """
    for name in weights:
        found = publication.find(name)
        if found is None or found.shadow or name == STABLE:
            known = ", ".join(each.name for each in list_answering(publication.variants)[1:])
            there = f"there are: {known}" if known else "there is none yet: say which service is to be one"
            raise _refuse(publication, name, f"{name!r} is no variant whose share can be set; {there}")
    changed = publication
    for name, weight in weights.items():
        found = changed.find(name)
        changed = put_variant(changed, {**(found.model_dump() if found else {}), "weight": weight})
    return changed


def drop_variant(publication: Publication, name: str) -> Publication:
    """Take a variant out; nothing changes when there is none of that name.

    Raises:
        MappingRejected: It is the stable one, to which the requests of all others go back.
    """
    if name == STABLE:
        raise _refuse(publication, "variant", "'stable' cannot be taken back: the requests of all others go to it")
    return _share(publication, tuple(each for each in publication.variants if each.name != name))


def restore_variant(publication: Publication, name: str, before: Variant | None) -> Publication:
    """Put a variant back as it was; None takes it out."""
    others = tuple(each for each in publication.variants if each.name != name)
    return _share(publication, others if before is None else (*others, before))


def promote(publication: Publication, name: str) -> Publication:
    """Make a variant the stable one; who was stable is remembered for :func:`roll_back`.

    Raises:
        MappingRejected: There is no such variant.
    """
    chosen = publication.find(name)
    if chosen is None or chosen.shadow or name == STABLE:
        known = ", ".join(each.name for each in list_answering(publication.variants)[1:]) or "none: start with canary()"
        raise _refuse(publication, "variant", f"{name!r} is no variant that could be promoted; there are: {known}")
    # It is nobody's canary any more.
    stable = chosen.model_copy(update={"name": STABLE, "weight": None, "by": "", "run": "", "shifting": False})
    others = tuple(each for each in publication.variants[1:] if each.name != name)
    return _share(replace(publication, previous=publication.stable), (stable, *others))


def roll_back(publication: Publication) -> Publication:
    """Give all requests to who was trusted before: away with canaries, or else back before the last promotion.

    Shadows stay.

    Raises:
        MappingRejected: There is nothing to go back to.
    """
    canaries = list_answering(publication.variants)[1:]
    shadows = tuple(each for each in publication.variants if each.shadow)
    if canaries:
        return _share(publication, (publication.stable, *shadows))
    if publication.previous is None:
        raise _refuse(publication, "variant", "nothing was promoted and there is no canary: nothing to go back to")
    return _share(replace(publication, previous=None), (publication.previous, *shadows))


def _share(publication: Publication, variants: tuple[Variant, ...]) -> Publication:
    given = sum(each.weight or 0 for each in list_answering(variants)[1:])
    if given > _WHOLE:
        raise _refuse(publication, "weight", f"the variants' weights sum to {given} percent, and the whole is 100")
    return compose(replace(publication, variants=variants))


def _refuse(publication: Publication, path: str, words: str) -> MappingRejected:
    return reject(publication.carrier, place(publication.carrier, [Fault("bad-split", words, path=path)]))
