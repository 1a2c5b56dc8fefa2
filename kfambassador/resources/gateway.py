"""What the gateway's owner says once for everybody, as against a mapping, which speaks for one service."""

from collections.abc import Mapping as Dict
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field


class GatewayResource(BaseModel):
    """A resource of the gateway's owner. It counts in the gateway's own namespace only.

    Attributes:
        noun: What the kind is called in a sentence, with its article.
        inside: The field that holds everything but the name, where the kind has such a one.
        essential: Whether its mere presence means something, so that no fault may make it vanish.
        ineffective: Options that are known and do nothing here, and why.
        entrywise: Options that are lists whose entries hold each by itself.
        consequence: What becomes of things when any other option cannot be read; "" where it is only left out.
        misread: What holds besides as soon as anything cannot be read.
        closed: What holds in the place of an option that cannot be read, where leaving it out would open a door; and
            what its author is told of that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    noun: ClassVar[str] = "a resource"
    inside: ClassVar[str] = ""
    essential: ClassVar[bool] = False
    ineffective: ClassVar[Dict[str, str]] = {}
    entrywise: ClassVar[frozenset[str]] = frozenset()
    closed: ClassVar[Dict[str, tuple[object, str]]] = {}
    consequence: ClassVar[str] = ""
    misread: ClassVar[Dict[str, object]] = {}

    name: Annotated[str, Field(min_length=1, description="Unique in its namespace and kind.")]
    ambassador_id: Annotated[tuple[str, ...], Field(strict=False, description="Which gateways it is for.")] = (
        "default",
    )

    @classmethod
    def judge_whole(cls, name: object, given: Dict[str, object]) -> str:  # noqa: ARG003 - for kinds that mind
        """Say why a resource of this name does nothing at all; "" when it does."""
        return ""

    @classmethod
    def read_as(cls, name: object) -> "type[GatewayResource]":  # noqa: ARG003 - for kinds that were several once
        """The kind a resource of this name is read as."""
        return cls


class OptionGroup(BaseModel):
    """An object that only holds options together: one that is refused takes no other of them with it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
