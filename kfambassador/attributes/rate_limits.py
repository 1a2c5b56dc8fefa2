"""What a rate limit service is told of a request."""

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kfambassador.attributes.base import Attributes, Part, RouteDraft, as_list

if TYPE_CHECKING:
    from kfambassador.envoy.protos import RateLimit

_BUILT_IN: Final = ("source_cluster", "destination_cluster", "remote_address")
_TYPED: Final = (*_BUILT_IN, "generic_key", "request_headers")


class KeyedLabel(Part):
    """A label whose value Envoy knows."""

    key: Annotated[str | None, Field(min_length=1, description="What the service is told it is.")] = None


class GenericLabel(Part):
    """A label of the author's own."""

    value: Annotated[str, Field(min_length=1, description="The label's value.")]
    key: Annotated[str | None, Field(min_length=1, description="Its key; generic_key when absent.")] = None


class HeaderLabel(Part):
    """A label whose value is a request header's."""

    key: Annotated[str, Field(min_length=1, description="The label's key.")]
    header_name: Annotated[str, Field(min_length=1, description="Which header.")]
    omit_if_not_present: Annotated[
        bool, Field(description="Leave this label out where the header is absent, instead of its whole group.")
    ] = False


class Label(Part):
    """One label, in v3alpha1's form; just one of its fields is set. The forms of v1 and v2 are read as it.

    Example:
        >>> Label.model_validate({"x-team": {"header": "x-team"}}).request_headers.header_name
        'x-team'
    """

    source_cluster: Annotated[KeyedLabel | None, Field(description="The gateway's own cluster name.")] = None
    destination_cluster: Annotated[KeyedLabel | None, Field(description="The name of the cluster it goes to.")] = None
    remote_address: Annotated[KeyedLabel | None, Field(description="The client's address.")] = None
    generic_key: Annotated[GenericLabel | None, Field(description="Text of the author's own.")] = None
    request_headers: Annotated[HeaderLabel | None, Field(description="A request header's value.")] = None

    @model_validator(mode="before")
    @classmethod
    def _read_any_version(cls, given: object) -> object:
        """Read what v1 and v2 wrote (Ambassador, "Rate limiting with labels").

        It was a word: ``source_cluster``, ``destination_cluster``, ``remote_address`` or any other; or an object of one
        key: ``{generic_key: value}`` or ``{<key>: {header: <name>, omit_if_not_present: <bool>}}``.
        """
        if isinstance(given, str):
            return {given: {}} if given in _BUILT_IN else {"generic_key": {"value": given}}
        if not isinstance(given, dict) or len(given) != 1:
            return given
        ((key, value),) = given.items()
        if isinstance(value, dict) and "header" in value:
            rest = {name: each for name, each in value.items() if name != "header"}
            return {"request_headers": {"key": key, "header_name": value["header"], **rest}}
        if key == "generic_key" and isinstance(value, str):
            return {"generic_key": {"value": value}}
        return {key: {}} if key in _BUILT_IN and value is None else given

    @model_validator(mode="after")
    def _be_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in _TYPED) != 1:
            raise PydanticCustomError("label", f"a word, or an object with one of {', '.join(_TYPED)}")
        return self


#: The groups of each domain; a group has a name, and Envoy asks about each by itself.
Labels = Dict[str, tuple[Dict[str, tuple[Label, ...]], ...]]


def _as_tuples(given: object) -> object:
    """Take every list in it for what it is here: a tuple; and one thing for a list of it."""
    if not isinstance(given, dict):
        return given
    domains = {domain: as_list(groups) for domain, groups in given.items()}
    return {domain: _groups(groups) if isinstance(groups, tuple) else groups for domain, groups in domains.items()}


def _groups(groups: tuple[object, ...]) -> object:
    return tuple(
        {name: as_list(labels) for name, labels in group.items()} if isinstance(group, dict) else group
        for group in groups
    )


class RateLimitRule(Part):
    """A rule of v0: what is told of a request besides where it comes from and goes to."""

    descriptor: Annotated[str | None, Field(description="A word of the author's own.")] = None
    headers: Annotated[tuple[str, ...], Field(strict=False, description="Request headers whose values are told.")] = ()

    def labels(self) -> tuple[Label, ...]:
        """The labels this always stood for (Ambassador, "rate_limits").

        Example:
            >>> [next(iter(label.model_dump(exclude_none=True))) for label in RateLimitRule(descriptor="d").labels()]
            ['source_cluster', 'destination_cluster', 'remote_address', 'generic_key']
        """
        built_in = (Label.model_validate({name: {}}) for name in _BUILT_IN)
        word = (Label(generic_key=GenericLabel(value=self.descriptor)),) if self.descriptor else ()
        headers = (Label(request_headers=HeaderLabel(key=name, header_name=name)) for name in self.headers)
        return (*built_in, *word, *headers)


class RateLimits(Attributes, frozen=True):
    """What a rate limit service is told of a request (Ambassador, "Rate limiting").

    Each group of labels, and each rule of ``rate_limits``, is a question of its own. Which domain's labels are sent is
    the gateway's to say; :func:`kfambassador.routing.labels.settle_labels` leaves just those.
    """

    labels: Annotated[
        Labels,
        BeforeValidator(_as_tuples),
        Field(description="By domain a list of groups, {name: [label]}; a label is a word or an object."),
    ] = {}
    rate_limits: Annotated[
        tuple[RateLimitRule, ...],
        Field(strict=False, description="The same as v0 wrote it: a list of {descriptor, headers}."),
    ] = ()

    def on_route(self, draft: RouteDraft) -> None:
        """Ask one question for each group and each rule; one without labels asks nothing."""
        if not (self.labels or self.rate_limits):
            return
        groups = [labels for domain in self.labels.values() for group in domain for labels in group.values()]
        for labels in (*groups, *(rule.labels() for rule in self.rate_limits)):
            if labels:
                _write_actions(draft.action.rate_limits.add(), labels, draft.action.cluster)


def _write_actions(question: "RateLimit", labels: Iterable[Label], cluster: str) -> None:
    for label in labels:
        action = question.actions.add()
        if label.request_headers is not None:
            action.request_headers.header_name = label.request_headers.header_name
            action.request_headers.descriptor_key = label.request_headers.key
            action.request_headers.skip_if_absent = label.request_headers.omit_if_not_present
        elif label.generic_key is not None:
            action.generic_key.descriptor_value = label.generic_key.value
            action.generic_key.descriptor_key = label.generic_key.key or ""
        elif label.destination_cluster is not None:
            _write_destination(action, label.destination_cluster, cluster)
        elif label.source_cluster is not None:
            action.source_cluster.SetInParent()
        else:
            action.remote_address.SetInParent()


def _write_destination(action: "RateLimit.Action", label: KeyedLabel, cluster: str) -> None:
    if label.key in {None, "destination_cluster"}:
        action.destination_cluster.SetInParent()
    else:
        # Envoy has no key of ours for it. The value is known here, so it can be said as text.
        action.generic_key.descriptor_key = label.key
        action.generic_key.descriptor_value = cluster
