"""Which permissions people need, which role has them, and what is to be said to whoever lacks one.

The one place they are written; ``deploy/base/access.yaml`` is made from it.
"""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from kfambassador.kube.kinds import (
    EVENT,
    FOLLOWED,
    LEASE,
    MAPPING,
    SECRET,
    SUBJECT_ACCESS_REVIEW,
    TOKEN_REVIEW,
    Kind,
)
from kfambassador.names import AMBASSADOR_GROUP, GATEWAY_ACCOUNT, INSTALL_NAMESPACE, STATUS_LEASE

_READ: Final = ("get", "list")
# Server-side apply is a patch, and a create where there is nothing yet.
_WRITE: Final = ("create", "patch", "delete")
_FOLLOW: Final = ("list", "watch")
_CORE: Final = ""


class Rule(NamedTuple):
    """One rule of a role.

    Attributes:
        group: The API group; "" is the core group.
        resources: The plural names, with a subresource behind a slash.
        verbs: What may be done to them.
        names: The objects it is about; none are all.
    """

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role that people are given.

    Attributes:
        name: Its name.
        purpose: What it lets people do, in words.
        rules: Its rules.
        is_the_gateways: Whether it lives in the gateway's namespace (a Role); else it is a ClusterRole, to be bound in
            the namespaces models are published in.
    """

    name: str
    purpose: str
    rules: tuple[Rule, ...]
    is_the_gateways: bool = False

    def allows(self, verb: str, group: str, resource: str) -> bool:
        """Tell whether a role has a permission.

        Example:
            >>> PUBLISHER.allows("patch", "", "services"), PUBLISHER.allows("get", "", "secrets")
            (True, False)
        """
        return any(group == rule.group and resource in rule.resources and verb in rule.verbs for rule in self.rules)


#: What publishing a model needs in the namespace it is published in.
PUBLISHER: Final = Role(
    "kfambassador-publisher",
    "publishes models in a namespace, and looks for what keeps them from being served",
    (
        Rule(_CORE, ("services",), (*_READ, *_WRITE)),
        # By kubectl; what is published from Python is on Services. Reading them all is what the read API asks for.
        Rule(AMBASSADOR_GROUP, ("mappings",), (*_READ, "watch", *_WRITE, "update")),
        # Who else claims a path, what a model runs in, and why it does not answer, are found out from these.
        Rule("networking.k8s.io", ("ingresses",), _READ),
        Rule("discovery.k8s.io", ("endpointslices",), _READ),
        Rule(_CORE, ("pods",), _READ),
        Rule("apps", ("deployments",), _READ),
        Rule("serving.kserve.io", ("inferenceservices",), _READ),
        Rule(_CORE, ("namespaces",), ("get",)),
    ),
)

#: What finding the gateway needs in the gateway's namespace.
CALLER: Final = Role(
    "kfambassador-caller",
    "finds the gateway",
    (Rule(_CORE, ("services",), _READ),),
    is_the_gateways=True,
)

#: What reaching a gateway without an address needs in its namespace. It opens every port of every pod there.
TUNNELLER: Final = Role(
    "kfambassador-tunneller",
    "reaches the gateway through the API server when it has no address outside the cluster",
    (
        Rule(_CORE, ("pods",), _READ),
        # A WebSocket is a GET, so Kubernetes asks for get; from 1.35 on, and for kubectl before, for create.
        Rule(_CORE, ("pods/portforward",), ("get", "create")),
    ),
    is_the_gateways=True,
)


def _about(kind: Kind, *verbs: str, part: str = "", names: tuple[str, ...] = ()) -> Rule:
    return Rule(kind.group, (f"{kind.plural}/{part}" if part else kind.plural,), verbs, names)


def _follow() -> tuple[Rule, ...]:
    """The rules by which a gateway reads what it serves; Secrets are for its own namespace only."""
    kinds = [kind for kind in FOLLOWED if kind != SECRET]
    groups = dict.fromkeys(kind.group for kind in kinds)
    return tuple(Rule(group, tuple(kind.plural for kind in kinds if kind.group == group), _FOLLOW) for group in groups)


#: What the gateway's controller needs wherever it follows: in the cluster, or in the one namespace it is bound to.
CONTROLLER: Final = Role(
    "kfambassador-controller",
    "follows what people write, and tells what became of it in statuses and Events",
    (
        *_follow(),
        _about(MAPPING, "patch", part="status"),
        _about(EVENT, "create", "patch"),
    ),
)

#: What it needs in its own namespace besides.
CONTROLLER_AT_HOME: Final = Role(
    "kfambassador-controller",
    "reads the gateway's own Secrets, and has replicas agree on who writes",
    (
        _about(SECRET, *_FOLLOW),
        # A permission to create cannot name the object.
        _about(LEASE, "create"),
        _about(LEASE, "get", "update", names=(STATUS_LEASE,)),
    ),
    is_the_gateways=True,
)

#: What its read API needs to find out who asks, and what they may see. It is about the whole cluster by its nature.
CONTROLLER_REVIEWS: Final = Role(
    "kfambassador-controller-reviews",
    "asks the cluster who calls the read API, and what they may see",
    (_about(TOKEN_REVIEW, "create"), _about(SUBJECT_ACCESS_REVIEW, "create")),
)

#: The roles the gateway's controller is given.
CONTROLLER_ROLES: Final = (CONTROLLER, CONTROLLER_AT_HOME, CONTROLLER_REVIEWS)

#: The roles people are given, each before those that matter to fewer.
ROLES: Final = (PUBLISHER, CALLER, TUNNELLER)

#: The accounts that Kubeflow's notebooks and pipelines run as, each with where ``deploy/overlays/kubeflow`` lets it
#: publish.
KUBEFLOW_ACCOUNTS: Final = {"default-editor": "every profile", "pipeline-runner": "namespace kubeflow"}

# The authorizer's own words (Kubernetes, "Authorization": the message of a 403).
_DENIAL: Final = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>[\w*]+) resource "(?P<resource>[\w./-]+)"'
    r' in API group "(?P<group>[\w.-]*)"'
    r'(?: in the namespace "(?P<namespace>[^"]*)")?'
)


@dataclass(frozen=True, slots=True)
class Denial:
    """A permission that somebody lacks.

    Attributes:
        user: Who.
        verb: What they may not do.
        resource: To what, by its plural name, with a subresource behind a slash.
        group: Of which API group; "" is the core group.
        namespace: Where; "" is in all namespaces, or outside of any.
    """

    user: str
    verb: str
    resource: str
    group: str
    namespace: str

    def __str__(self) -> str:
        """Say it in one phrase."""
        named = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f"in namespace {self.namespace!r}" if self.namespace else "in all namespaces"
        return f"{self.verb} {named} {where}"


def read_denial(message: str) -> Denial | None:
    """Find out from the API's words which permission is missing; None when they speak of something else (a quota).

    Example:
        >>> said = 'User "ann" cannot list resource "services" in API group "" in the namespace "team"'
        >>> str(read_denial(said))
        "list services in namespace 'team'"
    """
    found = _DENIAL.search(message)
    return Denial(**{name: value or "" for name, value in found.groupdict().items()}) if found else None


def advise(denial: Denial, *, at_gateway: bool = False) -> str:
    """Say which permission is missing, which role has it, and the command that gives it.

    Args:
        denial: What is missing.
        at_gateway: Whether it is missing in the gateway's namespace, which has roles of its own.

    Example:
        >>> print(advise(Denial("ann", "patch", "services", "", "team")))
        Missing is the permission to patch services in namespace 'team'. ClusterRole kfambassador-publisher has it; who administers the cluster gives it with: kubectl create rolebinding kfambassador-publisher-ann --namespace team --clusterrole kfambassador-publisher --user ann
    """  # noqa: E501 - the sentence is one line
    missing = f"Missing is the permission to {denial}."
    own_first = at_gateway or denial.namespace == INSTALL_NAMESPACE
    ranked = sorted(ROLES, key=lambda role: role.is_the_gateways != own_first)
    if _is_the_gateways(denial.user):
        ranked = [*CONTROLLER_ROLES, *ranked]
    role = next((role for role in ranked if role.allows(denial.verb, denial.group, denial.resource)), None)
    if role is None:
        return f"{missing} None of kfambassador's roles has it: ask the cluster's administrator."
    if not denial.namespace and role not in CONTROLLER_ROLES:
        return f"{missing} {_name(role)} has it in each namespace it is given in, never in all: say which one is meant."
    has_it = f"{_name(role)} has it{_tell_overlay(denial, role)}"
    return f"{missing} {has_it}; who administers the cluster gives it with: {_write_binding(denial, role)}"


def _tell_overlay(denial: Denial, role: Role) -> str:
    """Say of an account of Kubeflow's what gives it the role wherever it needs it, not only in one namespace.

    Example:
        >>> _tell_overlay(Denial("system:serviceaccount:ann:default-editor", "list", "services", "", "ann"), PUBLISHER)
        ', and deploy/overlays/kubeflow gives it to default-editor in every profile'
    """
    account = denial.user.rpartition(":")[2] if denial.user.startswith("system:serviceaccount:") else ""
    where = KUBEFLOW_ACCOUNTS.get(account) if role == PUBLISHER else None
    return f", and deploy/overlays/kubeflow gives it to {account} in {where}" if where else ""


def _is_the_gateways(user: str) -> bool:
    """Tell whether a user is the account a gateway's controller runs as."""
    namespace, _, account = user.removeprefix("system:serviceaccount:").partition(":")
    is_account = user.startswith("system:serviceaccount:")
    return is_account and (namespace == INSTALL_NAMESPACE or account == GATEWAY_ACCOUNT)


def _name(role: Role) -> str:
    return f"{'Role' if role.is_the_gateways else 'ClusterRole'} {role.name}"


def _write_binding(denial: Denial, role: Role) -> str:
    kind = "role" if role.is_the_gateways else "clusterrole"
    words, name = _write_subject(denial.user)
    if not denial.namespace:
        return f"kubectl create clusterrolebinding {role.name}-{name} --clusterrole {role.name} {words}"
    return f"kubectl create rolebinding {role.name}-{name} --namespace {denial.namespace} --{kind} {role.name} {words}"


def _write_subject(user: str) -> tuple[str, str]:
    """Write a user as kubectl's option, and as a part of a name.

    Example:
        >>> _write_subject("system:serviceaccount:team:default-editor")
        ('--serviceaccount team:default-editor', 'default-editor')
    """
    system, _, account = user.partition("system:serviceaccount:")
    if account and not system:
        return f"--serviceaccount {account}", account.rpartition(":")[2]
    quoted = user if re.fullmatch(r"[\w.@:/-]+", user) else "'" + user.replace("'", "'\\''") + "'"
    return f"--user {quoted}", re.sub(r"[^a-z0-9]+", "-", user.partition("@")[0].lower()).strip("-") or "user"
