"""A Mapping: which requests go to which service, and what happens on the way."""

from functools import cache
from typing import Annotated

from pydantic import Field

from kfambassador.attributes.auth import Auth
from kfambassador.attributes.base import Attributes, Scope
from kfambassador.attributes.circuit_breaking import CircuitBreaking
from kfambassador.attributes.connection import Connection
from kfambassador.attributes.cors import Cors
from kfambassador.attributes.discovery import Discovery
from kfambassador.attributes.error_responses import ErrorResponses
from kfambassador.attributes.headers import Headers
from kfambassador.attributes.health_checks import HealthChecks
from kfambassador.attributes.load_balancing import LoadBalancing
from kfambassador.attributes.matching import Matching
from kfambassador.attributes.naming import Naming
from kfambassador.attributes.outlier_detection import OutlierDetection
from kfambassador.attributes.priority import Priority
from kfambassador.attributes.rate_limits import RateLimits
from kfambassador.attributes.redirecting import Redirecting
from kfambassador.attributes.retries import Retries
from kfambassador.attributes.rewriting import Rewriting
from kfambassador.attributes.shadowing import Shadowing
from kfambassador.attributes.timeouts import Timeouts
from kfambassador.attributes.upgrades import Upgrades


class Mapping(
    Matching,
    Rewriting,
    Redirecting,
    Timeouts,
    Retries,
    Cors,
    Headers,
    Shadowing,
    Upgrades,
    Priority,
    RateLimits,
    Auth,
    ErrorResponses,
    Connection,
    Discovery,
    LoadBalancing,
    CircuitBreaking,
    OutlierDetection,
    HealthChecks,
    Naming,
    frozen=True,
):
    """Which requests go to which service, and what happens on the way.

    The list of bases is the registry of attribute families: a new family is its file and one word here, and this word
    is what lets editors and type checkers see its fields.

    Example:
        >>> Mapping(name="test", prefix="/models/test/", service="test.kubeflow:8000", method="POST").service
        'test.kubeflow:8000'
    """

    name: Annotated[str, Field(min_length=1, description="Unique in its namespace; dots are safe.")]
    service: Annotated[
        str,
        Field(
            min_length=1,
            description="[http://|https://]host[:port]. A name without a dot is a Service of the mapping's own "
            "namespace, name.namespace one of another; anything else is found by DNS. A redirect sends clients there.",
        ),
    ]
    weight: Annotated[
        int | None,
        Field(ge=0, le=100, description="Share in percent among mappings with the same match; the rest when absent."),
    ] = None
    precedence: Annotated[
        int, Field(description="Evaluated before mappings of lower precedence, whatever their prefixes.")
    ] = 0
    ambassador_id: Annotated[tuple[str, ...], Field(strict=False, description="Which gateways serve this mapping.")] = (
        "default",
    )

    @classmethod
    @cache
    def families(cls) -> tuple[type[Attributes], ...]:
        """The attribute families, in the order of the bases."""
        return tuple(base for base in cls.__bases__ if issubclass(base, Attributes))

    @classmethod
    @cache
    def cluster_fields(cls) -> tuple[str, ...]:
        """The names of all attributes that are part of a cluster's identity."""
        return tuple(name for family in cls.families() if family.scope is Scope.CLUSTER for name in family.model_fields)

    @classmethod
    @cache
    def entrywise_fields(cls) -> frozenset[str]:
        """The names of all attributes of which a bad entry is left out while the others hold."""
        return frozenset(name for family in cls.families() for name in family.entrywise)
