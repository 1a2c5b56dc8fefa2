"""Roles: what the API fills in and checks when a role or a binding is written. Pure."""

from collections.abc import Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.documents.metadata import NameRule
from kfambassador.local.kube.kinds.kind import Admitted, Index

#: The API group of roles and bindings.
GROUP: Final = "rbac.authorization.k8s.io"

_SUBJECTS: Final = ("ServiceAccount", "User", "Group")


def admit_role(role: Document, _before: Document | None, _index: Index) -> Admitted:
    """Check the rules of a Role, which are about one namespace."""
    return Admitted({"rules": None} | role, tuple(_check_rules(role, namespaced=True)))


def admit_cluster_role(role: Document, _before: Document | None, _index: Index) -> Admitted:
    """Check the rules of a ClusterRole."""
    return Admitted({"rules": None} | role, tuple(_check_rules(role, namespaced=False)))


def admit_role_binding(binding: Document, before: Document | None, _index: Index) -> Admitted:
    """Fill in and check a RoleBinding."""
    return _admit_binding(binding, before, ("Role", "ClusterRole"))


def admit_cluster_role_binding(binding: Document, before: Document | None, _index: Index) -> Admitted:
    """Fill in and check a ClusterRoleBinding."""
    return _admit_binding(binding, before, ("ClusterRole",))


def _admit_binding(binding: Document, before: Document | None, kinds: tuple[str, ...]) -> Admitted:
    role: Document = {"apiGroup": GROUP} | binding["roleRef"]
    subjects = [_complete(subject) for subject in binding.get("subjects") or ()]
    filled = binding | {"roleRef": role} | ({"subjects": subjects} if subjects else {})
    faults = [*_check_reference(role, before, kinds)]
    for place, subject in enumerate(subjects):
        faults += _check_subject(subject, f"subjects[{place}]")
    return Admitted(filled, tuple(faults))


def _complete(subject: Document) -> Document:
    return ({"apiGroup": GROUP} if subject.get("kind") in {"User", "Group"} else {}) | subject


def _check_reference(role: Document, before: Document | None, kinds: tuple[str, ...]) -> Iterator[FieldFault]:
    if role["apiGroup"] != GROUP:
        yield unsupported("roleRef.apiGroup", role["apiGroup"], (GROUP,))
    if role["kind"] not in kinds:
        yield unsupported("roleRef.kind", role["kind"], kinds)
    if not role["name"]:
        yield FieldFault(Fault.REQUIRED, "roleRef.name")
    elif fault := NameRule.PATH.find_fault(role["name"], "roleRef.name"):
        yield fault
    if before and before["roleRef"] != role:
        yield FieldFault(Fault.INVALID, "roleRef", "cannot change roleRef", role)


def _check_subject(subject: Document, path: str) -> Iterator[FieldFault]:
    sort, group = subject["kind"], subject.get("apiGroup", "")
    if not subject["name"]:
        yield FieldFault(Fault.REQUIRED, f"{path}.name")
    if sort not in _SUBJECTS:
        yield unsupported(f"{path}.kind", sort, _SUBJECTS)
        return
    wanted = "" if sort == "ServiceAccount" else GROUP
    if group != wanted:
        yield unsupported(f"{path}.apiGroup", group, (wanted,))
    if sort == "ServiceAccount" and not subject.get("namespace"):
        yield FieldFault(Fault.REQUIRED, f"{path}.namespace")


def _check_rules(role: Document, *, namespaced: bool) -> Iterator[FieldFault]:
    for place, rule in enumerate(role.get("rules") or ()):
        yield from _check_rule(rule, f"rules[{place}]", namespaced=namespaced)


def _check_rule(rule: Document, path: str, *, namespaced: bool) -> Iterator[FieldFault]:
    if not rule.get("verbs"):
        yield FieldFault(Fault.REQUIRED, f"{path}.verbs", "verbs must contain at least one value")
    if urls := rule.get("nonResourceURLs"):
        if namespaced:
            detail = "namespaced rules cannot apply to non-resource URLs"
            yield FieldFault(Fault.INVALID, f"{path}.nonResourceURLs", detail, urls)
        if rule.get("apiGroups") or rule.get("resources") or rule.get("resourceNames"):
            detail = "rules cannot apply to both regular resources and non-resource URLs"
            yield FieldFault(Fault.INVALID, f"{path}.nonResourceURLs", detail, urls)
        return
    if not rule.get("apiGroups"):
        yield FieldFault(Fault.REQUIRED, f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield FieldFault(Fault.REQUIRED, f"{path}.resources", "resource rules must supply at least one resource")
