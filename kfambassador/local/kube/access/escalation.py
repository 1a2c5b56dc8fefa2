"""Escalation: nobody gives what they do not have (Kubernetes, "Privilege escalation prevention and bootstrapping")."""

import json
from collections.abc import Iterable
from typing import Final

from kfambassador.local.kube.access.authorization import CLUSTER_ROLES, ROLES
from kfambassador.local.kube.access.guard import Caller
from kfambassador.local.kube.documents.document import Document, name_of
from kfambassador.local.kube.documents.identity import User
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.rules import EVERYTHING, Asked, find_missing
from kfambassador.local.kube.kinds.status import StatusError
from kfambassador.local.kube.registry.routes import Route
from kfambassador.local.kube.store.storage import Key, Store
from kfambassador.local.kube.validation.roles import GROUP

_ROLE_KINDS: Final = ("Role", "ClusterRole")


def check_escalation(store: Store, caller: Caller, route: Route, document: Document) -> None:
    """See to it that a role or a binding gives nothing its writer has not, unless they may do even that.

    Args:
        store: Where the roles are.
        caller: Who writes.
        route: Where it is written.
        document: The role or binding as it will be; anything else gives nothing.

    Raises:
        StatusError: When it would.
    """
    if route.kind.group != GROUP:
        return
    if route.kind.name in _ROLE_KINDS:
        _check_role(caller, route, document)
    else:
        _check_binding(store, caller, route, document)


def _check_role(caller: Caller, route: Route, role: Document) -> None:
    asked = Asked("escalate", GROUP, route.kind.plural, "", route.namespace, route.name)
    if caller.authorizer.judge(caller.user, asked).is_allowed:
        return
    if role.get("aggregationRule") and _list_missing(caller, route.namespace, EVERYTHING):
        raise _refuse(route, role, "must have cluster-admin privileges to use the aggregationRule")
    _check_rules(caller, route, role, role.get("rules") or ())


def _check_binding(store: Store, caller: Caller, route: Route, binding: Document) -> None:
    role = binding["roleRef"]
    is_cluster_role = role["kind"] == "ClusterRole"
    asked = Asked("bind", GROUP, f"{role['kind'].lower()}s", "", route.namespace, role["name"])
    if caller.authorizer.judge(caller.user, asked).is_allowed:
        return
    key = Key(CLUSTER_ROLES, "", role["name"]) if is_cluster_role else Key(ROLES, route.namespace, role["name"])
    found = store.get(key)
    if found is None:
        message = f'{key.resource} "{key.name}" not found'
        raise StatusError(404, "NotFound", message, {"name": key.name, "group": GROUP, "kind": asked.resource})
    _check_rules(caller, route, binding, found.document.get("rules") or ())


def _check_rules(caller: Caller, route: Route, document: Document, rules: Iterable[Document]) -> None:
    if missing := _list_missing(caller, route.namespace, rules):
        what = "is attempting to grant RBAC permissions not currently held"
        listed = "\n".join(_show_rule(rule) for rule in missing)
        raise _refuse(route, document, f"{_show_user(caller.user)} {what}:\n{listed}")


def _list_missing(caller: Caller, namespace: str, rules: Iterable[Document]) -> list[Document]:
    return find_missing(caller.authorizer.list_rules(caller.user, namespace).rules, rules)


def _refuse(route: Route, document: Document, because: str) -> StatusError:
    name = route.name or name_of(document)
    details = {"name": name, "group": GROUP, "kind": route.kind.plural}
    return status.forbidden(f'{route.kind.resource} "{name}" is forbidden: {because}', details)


def _show_user(user: User) -> str:
    return f"user {json.dumps(user.name)} (groups={_show_list(user.groups)})"


def _show_rule(rule: Document) -> str:
    fields = {
        "APIGroups": "apiGroups",
        "Resources": "resources",
        "NonResourceURLs": "nonResourceURLs",
        "ResourceNames": "resourceNames",
        "Verbs": "verbs",
    }
    shown = [f"{title}:{_show_list(rule[field])}" for title, field in fields.items() if rule.get(field)]
    return f"{{{', '.join(shown)}}}"


def _show_list(texts: Iterable[str]) -> str:
    return f"[{' '.join(json.dumps(text) for text in texts)}]"
