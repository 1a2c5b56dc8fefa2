"""Authorization: whether somebody may do something, by the roles that are bound to them, or always."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from kfambassador.local.kube.documents.document import Document, name_of
from kfambassador.local.kube.documents.identity import MASTERS, User, account_name
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.rules import EVERYTHING, Asked, allows
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.store.storage import Key, Record, Store
from kfambassador.local.kube.validation.roles import GROUP

ROLES: Final = f"roles.{GROUP}"
CLUSTER_ROLES: Final = f"clusterroles.{GROUP}"
_BINDINGS: Final = f"rolebindings.{GROUP}"
_CLUSTER_BINDINGS: Final = f"clusterrolebindings.{GROUP}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may do something.

    Attributes:
        is_allowed: Whether.
        reason: Why, in the words of a cluster; "" where it gives none.
        error: What could not be found out, "" for nothing.
    """

    is_allowed: bool
    reason: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody may do in one namespace.

    Attributes:
        rules: The rules that say so.
        error: What could not be found out, "" for nothing.
    """

    rules: tuple[Document, ...]
    error: str = ""


class Authorizer(Protocol):
    """Decides who may do what."""

    def judge(self, user: User, asked: Asked) -> Decision:
        """Whether somebody may do something."""
        ...

    def list_rules(self, user: User, namespace: str) -> Held:
        """What somebody may do in a namespace, "" for none."""
        ...


class AlwaysAllow:
    """Lets everybody do everything."""

    def judge(self, _user: User, _asked: Asked) -> Decision:
        """Yes."""
        return Decision(is_allowed=True)

    def list_rules(self, _user: User, _namespace: str) -> Held:
        """Everything."""
        return Held(EVERYTHING)


class _Grant(NamedTuple):
    rules: list[Document]
    words: str


@dataclass(slots=True)
class _Grants:
    found: list[_Grant] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def error(self) -> str:
        listed = list(dict.fromkeys(self.errors))
        return listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]" if listed else ""


class RoleBasedAccess:
    """Decides by Roles, ClusterRoles and their bindings.

    Args:
        store: Where they are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def judge(self, user: User, asked: Asked) -> Decision:
        """Whether somebody may do something."""
        if MASTERS in user.groups:
            return Decision(is_allowed=True)
        grants = self._grants(user, asked.namespace)
        for grant in grants.found:
            if any(allows(rule, asked) for rule in grant.rules):
                return Decision(is_allowed=True, reason=f"RBAC: allowed by {grant.words}")
        return Decision(is_allowed=False, reason=f"RBAC: {grants.error}" if grants.error else "", error=grants.error)

    def list_rules(self, user: User, namespace: str) -> Held:
        """What somebody may do in a namespace, "" for none."""
        grants = self._grants(user, namespace)
        return Held(tuple(rule for grant in grants.found for rule in grant.rules), grants.error)

    def _grants(self, user: User, namespace: str) -> _Grants:
        grants = _Grants()
        for record, scope in self._bindings(namespace):
            binding = record.document
            subject = next((each for each in binding.get("subjects") or () if _is_subject(user, each, scope)), None)
            if subject is None:
                continue
            role = binding["roleRef"]
            resource, within = (CLUSTER_ROLES, "") if role["kind"] == "ClusterRole" else (ROLES, scope)
            found = self._store.get(Key(resource, within, role["name"]))
            if found is None:
                grants.errors.append(f'{role["kind"].lower()}.{GROUP} "{role["name"]}" not found')
                continue
            grants.found.append(_Grant(found.document.get("rules") or [], _describe(binding, subject, scope)))
        return grants

    def _bindings(self, namespace: str) -> Iterator[tuple[Record, str]]:
        yield from ((record, "") for record in self._store.records(_CLUSTER_BINDINGS))
        if namespace:
            yield from ((record, namespace) for record in self._store.records(_BINDINGS, namespace))


def _is_subject(user: User, subject: Document, scope: str) -> bool:
    sort, name = subject.get("kind"), subject.get("name", "")
    if sort == "ServiceAccount":
        return user.name == account_name(subject.get("namespace") or scope, name)
    return user.name == name if sort == "User" else sort == "Group" and name in user.groups


def _describe(binding: Document, subject: Document, scope: str) -> str:
    role = binding["roleRef"]
    sort = "RoleBinding" if scope else "ClusterRoleBinding"
    place = f"{name_of(binding)}/{scope}" if scope else name_of(binding)
    name = subject.get("name", "")
    if subject.get("kind") == "ServiceAccount":
        name = f"{name}/{subject.get('namespace') or scope}"
    return f'{sort} "{place}" of {role["kind"]} "{role["name"]}" to {subject.get("kind")} "{name}"'


def demand(authorizer: Authorizer, user: User, asked: Asked) -> None:
    """See to it that somebody may do something.

    Raises:
        StatusError: When they may not, in the words of a cluster.
    """
    decision = authorizer.judge(user, asked)
    if not decision.is_allowed:
        raise refuse(user, asked, decision.reason)


def refuse(user: User, asked: Asked, reason: str = "") -> StatusError:
    """What a cluster answers to somebody who may not do something.

    Example:
        >>> str(refuse(User("jane"), Asked("list", resource="services", namespace="team")))
        'services is forbidden: User "jane" cannot list resource "services" in API group "" in the namespace "team"'
    """
    more = f": {reason}" if reason else ""
    if asked.path:
        return status.forbidden(f'forbidden: User "{user.name}" cannot {asked.verb} path "{asked.path}"{more}')
    place = f'in the namespace "{asked.namespace}"' if asked.namespace else "at the cluster scope"
    what = f'resource "{asked.full_resource}" in API group "{asked.group}" {place}'
    resource = f"{asked.resource}.{asked.group}" if asked.group else asked.resource
    subject = f'{resource} "{asked.name}"' if asked.name else resource
    named = {"name": asked.name, "group": asked.group, "kind": asked.resource}
    details = {field: value for field, value in named.items() if value}
    return status.forbidden(f'{subject} is forbidden: User "{user.name}" cannot {asked.verb} {what}{more}', details)
