"""Who may do what on a gateway that many share: the platform owner's choice, as data."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Self

#: Where the gateway is taken to live unless it is told. Ambassador itself falls back to ``default`` when its manifests
#: do not set AMBASSADOR_NAMESPACE (they always did). That is where careless people work, and a forgotten setting must
#: not make them owners of the gateway. A namespace that is not there at all gives nobody more rights than a tenant's.
GATEWAY_NAMESPACE: Final = "ambassador"

#: Where Debian keeps the authorities it trusts, and with it the images Envoy usually runs in.
TRUSTED_CA: Final = "/etc/ssl/certs/ca-certificates.crt"

#: What a gateway answers to, whatever its ids (Ambassador, "ambassador_id").
EVERY_GATEWAY: Final = "_automatic_"


@dataclass(frozen=True, slots=True)
class TenancyPolicy:
    """Who may claim a path, refer to a service and speak for everybody.

    Targets that nobody's mapping may have (metadata services, the API server, the gateway's own ports) are refused
    under every policy.

    Attributes:
        gateway_namespace: The gateway's own namespace (AMBASSADOR_NAMESPACE). Gateway-wide kinds count in no other, and
            its mappings may refer to any Service. None: every namespace may hold gateway-wide kinds, and none is
            otherwise better than the others; for files and laptops.
        gateway_ids: The ids this gateway goes by (AMBASSADOR_ID). ``_automatic_`` is always one.
        claims: Whether the namespace that first claimed a host and prefix owns it. False joins the mappings of all
            namespaces into one route, as Ambassador does, and lets any tenant take another's requests.
        references: Whether a Service of another namespace must allow a mapping to point at it. False lets every mapping
            point at every Service, as Ambassador does.
        loopback: Whether a mapping may point at the machine Envoy runs on.
        own_addresses: Host and port of every control port of our own; never a target.
        verify_upstreams: Whether connections that are to be protected verify the service's certificate.
        trusted_ca: The file on Envoy's machine with the authorities it believes where nobody names others.
        cluster_dns: Whether Envoy can look Services of the cluster up by DNS; on a laptop it cannot.
        lua_scripts: Whether a Module may have Envoy run a script on every request.
        header_operators: Envoy's operators that are expanded in the headers mappings add, by name, such as
            ``PROTOCOL``. Some tell a tenant what is none of its business: the environment of Envoy's process
            (``ENVIRONMENT``), the headers of other people's requests (``REQ``).

    Example:
        >>> TenancyPolicy(gateway_namespace="kubeflow").is_gateways("team")
        False
    """

    gateway_namespace: str | None = GATEWAY_NAMESPACE
    gateway_ids: frozenset[str] = frozenset({"default"})
    claims: bool = True
    references: bool = True
    loopback: bool = False
    own_addresses: frozenset[tuple[str, int]] = frozenset()
    verify_upstreams: bool = True
    trusted_ca: str = TRUSTED_CA
    cluster_dns: bool = True
    lua_scripts: bool = False
    header_operators: frozenset[str] = frozenset()

    @classmethod
    def permissive(cls, *, gateway_namespace: str | None = GATEWAY_NAMESPACE) -> Self:
        """The policy for clusters whose tenants grew used to Ambassador's: nobody owns a path, everybody may refer.

        Loopback and all that is refused to everybody stays refused, and certificates stay verified: what no honest
        mapping relies on is not given up with the rest.
        """
        return cls(gateway_namespace=gateway_namespace, claims=False, references=False)

    @classmethod
    def laptop(cls, *, trusted_ca: str = TRUSTED_CA) -> Self:
        """The policy for one person's machine: models run on loopback, and all namespaces are the same person's.

        Claims stay, so that a conflict shows before the mappings reach a cluster.
        """
        return cls(gateway_namespace=None, references=False, loopback=True, trusted_ca=trusted_ca, cluster_dns=False)

    def is_gateways(self, namespace: str) -> bool:
        """Tell whether gateway-wide kinds count in a namespace.

        Example:
            >>> TenancyPolicy.laptop().is_gateways("any")
            True
        """
        return self.gateway_namespace is None or namespace == self.gateway_namespace

    def is_home(self, namespace: str) -> bool:
        """Tell whether a namespace is the gateway's own and has an owner's rights over the others.

        Unlike :meth:`is_gateways` this holds for no namespace when none is said to be the gateway's: rights that all
        have would be no check at all.

        Example:
            >>> TenancyPolicy.laptop().is_home("any")
            False
        """
        return namespace == self.gateway_namespace

    def accepts(self, ids: Collection[str]) -> bool:
        """Tell whether something meant for the gateways of these ids is meant for this one.

        Args:
            ids: Its ``ambassador_id``; none at all stands for ``default`` (Ambassador).

        Example:
            >>> policy = TenancyPolicy(gateway_ids=frozenset({"inner"}))
            >>> policy.accepts(["inner", "outer"]), policy.accepts([]), policy.accepts(["_automatic_"])
            (True, False, True)
        """
        return EVERY_GATEWAY in ids or not self.gateway_ids.isdisjoint(ids or ("default",))
