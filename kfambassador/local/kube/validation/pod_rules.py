"""Pod rules: what a pod, or the template of one, may say. Pure."""

from collections.abc import Collection, Iterator
from typing import Final

from kfambassador.local.kube.documents.addresses import PORTS, PROTOCOLS, check_port, check_port_or_name
from kfambassador.local.kube.documents.document import Document
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.documents.metadata import NameRule, check_labels
from kfambassador.local.kube.validation.amounts import NOT_NEGATIVE, check_resources
from kfambassador.local.kube.validation.handlers import check_handlers

#: When the containers of a pod are started anew.
RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")

_DNS_POLICIES: Final = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
_PULL_POLICIES: Final = ("Always", "IfNotPresent", "Never")
_MAY_CHANGE: Final = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_pod_spec(
    spec: Document, path: str, restart: tuple[str, ...] = RESTART_POLICIES, *, claimed: Collection[str] = ()
) -> Iterator[FieldFault]:
    """Find what is wrong with a pod spec.

    Args:
        spec: The spec, with its defaults.
        path: Where it stands.
        restart: The restart policies that are allowed there.
        claimed: The volumes there are beside its own: each pod of a StatefulSet has claims of its own.
    """
    volumes: list[Document] = spec.get("volumes") or []
    yield from _check_volumes(volumes, f"{path}.volumes")
    if not spec.get("containers"):
        yield FieldFault(Fault.REQUIRED, f"{path}.containers")
    names: set[str] = set()
    known = {*(volume.get("name") for volume in volumes), *claimed}
    for field in ("initContainers", "containers"):
        for place, container in enumerate(spec.get(field) or ()):
            where = f"{path}.{field}[{place}]"
            yield from _check_name(container.get("name"), f"{where}.name", names)
            yield from _check_container(container, where, known)
    for field, choices in (("restartPolicy", restart), ("dnsPolicy", _DNS_POLICIES)):
        if spec.get(field) not in choices:
            yield unsupported(f"{path}.{field}", spec.get(field), choices)
    yield from check_labels(spec.get("nodeSelector") or {}, f"{path}.nodeSelector")
    for field, rule in (("serviceAccountName", NameRule.SUBDOMAIN), ("nodeName", NameRule.SUBDOMAIN)):
        if spec.get(field) and (fault := rule.find_fault(spec[field], f"{path}.{field}")):
            yield fault
    for field in ("hostname", "subdomain"):
        if spec.get(field) and (fault := NameRule.LABEL.find_fault(spec[field], f"{path}.{field}")):
            yield fault
    yield from _check_seconds(spec, path)


def _check_seconds(spec: Document, path: str) -> Iterator[FieldFault]:
    if (seconds := spec.get("terminationGracePeriodSeconds") or 0) < 0:
        yield FieldFault(Fault.INVALID, f"{path}.terminationGracePeriodSeconds", NOT_NEGATIVE, seconds)
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 0 < deadline < 2**31:
        rule = "must be between 1 and 2147483647, inclusive"
        yield FieldFault(Fault.INVALID, f"{path}.activeDeadlineSeconds", rule, deadline)


def _check_name(name: str | None, path: str, names: set[str]) -> Iterator[FieldFault]:
    if not name:
        yield FieldFault(Fault.REQUIRED, path)
    elif fault := NameRule.LABEL.find_fault(name, path):
        yield fault
    elif name in names:
        yield FieldFault(Fault.DUPLICATE, path, "", name)
    names.add(name or "")


def _check_volumes(volumes: list[Document], path: str) -> Iterator[FieldFault]:
    names: set[str] = set()
    for place, volume in enumerate(volumes):
        where = f"{path}[{place}]"
        yield from _check_name(volume.get("name"), f"{where}.name", names)
        for second in [field for field in volume if field != "name"][1:]:
            yield FieldFault(Fault.FORBIDDEN, f"{where}.{second}", "may not specify more than 1 volume type")


def _check_container(container: Document, path: str, volumes: set[str | None]) -> Iterator[FieldFault]:
    image = str(container.get("image") or "")
    if not image:
        yield FieldFault(Fault.REQUIRED, f"{path}.image")
    elif image != image.strip():
        yield FieldFault(Fault.INVALID, f"{path}.image", "must not have leading or trailing whitespace", image)
    if container.get("imagePullPolicy") not in _PULL_POLICIES:
        yield unsupported(f"{path}.imagePullPolicy", container.get("imagePullPolicy"), _PULL_POLICIES)
    names: set[str] = set()
    for place, port in enumerate(container.get("ports") or ()):
        yield from _check_container_port(port, f"{path}.ports[{place}]", names)
    for place, variable in enumerate(container.get("env") or ()):
        yield from _check_variable(variable, f"{path}.env[{place}]")
    mounted: set[str] = set()
    for place, mount in enumerate(container.get("volumeMounts") or ()):
        where, at = f"{path}.volumeMounts[{place}]", str(mount.get("mountPath") or "")
        if mount.get("name") not in volumes:
            yield FieldFault(Fault.NOT_FOUND, f"{where}.name", "", mount.get("name"))
        if not at:
            yield FieldFault(Fault.REQUIRED, f"{where}.mountPath")
        elif at in mounted:
            yield FieldFault(Fault.INVALID, f"{where}.mountPath", "must be unique", at)
        mounted.add(at)
    yield from check_handlers(container, path)
    yield from check_resources(container.get("resources") or {}, f"{path}.resources")


def _check_container_port(port: Document, path: str, names: set[str]) -> Iterator[FieldFault]:
    name = str(port.get("name") or "")
    if name:
        yield from check_port_or_name(name, f"{path}.name")
        if name in names:
            yield FieldFault(Fault.DUPLICATE, f"{path}.name", "", name)
        names.add(name)
    if not port.get("containerPort"):
        yield FieldFault(Fault.REQUIRED, f"{path}.containerPort")
    else:
        yield from check_port(port["containerPort"], f"{path}.containerPort")
    if port.get("hostPort") and port["hostPort"] not in PORTS:
        yield from check_port(port["hostPort"], f"{path}.hostPort")
    if port.get("protocol") not in PROTOCOLS:
        yield unsupported(f"{path}.protocol", port.get("protocol"), PROTOCOLS)


def _check_variable(variable: Document, path: str) -> Iterator[FieldFault]:
    name = str(variable.get("name") or "")
    if not name:
        yield FieldFault(Fault.REQUIRED, f"{path}.name")
    elif not (name.isascii() and name.isprintable()) or "=" in name:
        rule = "a valid environment variable name must consist only of printable ASCII characters other than '='"
        yield FieldFault(Fault.INVALID, f"{path}.name", rule, name)
    if variable.get("value") and variable.get("valueFrom") is not None:
        rule = "may not be specified when `value` is not empty"
        yield FieldFault(Fault.INVALID, f"{path}.valueFrom", rule, "")


def check_pod_change(spec: Document, old: Document) -> Iterator[FieldFault]:
    """Find what a pod may not change once it is there."""
    for field in ("containers", "initContainers"):
        if len(spec.get(field) or ()) != len(old.get(field) or ()):
            rule = "pod updates may not add or remove containers"
            yield FieldFault(Fault.FORBIDDEN, f"spec.{field}", rule)
            return
    before, after = old.get("activeDeadlineSeconds"), spec.get("activeDeadlineSeconds")
    if before is not None and (after is None or after > before):
        rule = (
            "must be less than or equal to previous value"
            if after
            else "must not update from a positive integer to nil value"
        )
        yield FieldFault(Fault.INVALID, "spec.activeDeadlineSeconds", rule, after)
    if _fixed(spec) != _fixed(old) or not _only_adds(spec, old):
        yield FieldFault(Fault.FORBIDDEN, "spec", _MAY_CHANGE)


def _fixed(spec: Document) -> Document:
    free = ("activeDeadlineSeconds", "tolerations", "ephemeralContainers", "terminationGracePeriodSeconds")
    fixed = {field: value for field, value in spec.items() if field not in free}
    seconds = spec.get("terminationGracePeriodSeconds") or 0
    # Setting the time to end to 1 is allowed where it was negative, which only old objects can be.
    fixed["terminationGracePeriodSeconds"] = 1 if seconds < 0 else seconds
    for field in ("containers", "initContainers"):
        fixed[field] = [
            {name: value for name, value in each.items() if name != "image"} for each in spec.get(field) or ()
        ]
    return fixed


def _only_adds(spec: Document, old: Document) -> bool:
    kept = spec.get("tolerations") or []
    return all(each in kept for each in old.get("tolerations") or ())
