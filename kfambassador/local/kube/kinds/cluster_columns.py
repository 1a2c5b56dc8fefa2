"""Columns of what a whole cluster has: nodes, quotas and classes. Pure."""

from collections.abc import Callable
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.kinds.columns import AGE, NONE, join, spec_of, status_of, text
from kfambassador.local.kube.kinds.kind import Column

_ROLE: Final = "node-role.kubernetes.io/"
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"


def _node_status(node: Document) -> str:
    ready = [each for each in status_of(node).get("conditions") or () if each.get("type") == "Ready"]
    said = ("Ready" if ready[0].get("status") == "True" else "NotReady") if ready else "Unknown"
    return f"{said},SchedulingDisabled" if spec_of(node).get("unschedulable") else said


def _node_roles(node: Document) -> str:
    labels: dict[str, str] = metadata_of(node).get("labels") or {}
    named = {label.removeprefix(_ROLE) for label in labels if label.startswith(_ROLE)} - {""}
    return join(sorted(named | ({labels["kubernetes.io/role"]} if labels.get("kubernetes.io/role") else set())))


def _address(sort: str) -> Callable[[Document], object]:
    def read(node: Document) -> object:
        found = [each for each in status_of(node).get("addresses") or () if each.get("type") == sort]
        return found[0].get("address", NONE) if found else NONE

    return read


def _told(field: str) -> Callable[[Document], object]:
    return text("status", "nodeInfo", field, absent="<unknown>")


def _quota(prefix: str) -> Callable[[Document], object]:
    def read(quota: Document) -> str:
        hard: Document = status_of(quota).get("hard") or {}
        used: Document = status_of(quota).get("used") or {}
        names = [name for name in sorted(hard) if name.startswith("limits.") == (prefix == "limits.")]
        return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)

    return read


def _flag(name: str) -> Callable[[Document], object]:
    return lambda item: str(bool(item.get(name))).lower()


def _storage_class_name(item: Document) -> str:
    # The class that claims take by themselves is marked.
    name = str(metadata_of(item).get("name", ""))
    is_default = (metadata_of(item).get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
    return f"{name} (default)" if is_default else name


def _spec_flag(name: str) -> Callable[[Document], object]:
    return lambda item: str(bool(spec_of(item).get(name))).lower()


NODE: Final = (
    Column("Status", _node_status, description="Whether it is ready."),
    Column("Roles", _node_roles, description="What it is for, by its labels."),
    AGE,
    Column("Version", text("status", "nodeInfo", "kubeletVersion"), description="The version of its kubelet."),
    Column("Internal-IP", _address("InternalIP"), priority=1, description="Its address in the cluster."),
    Column("External-IP", _address("ExternalIP"), priority=1, description="Its address outside."),
    Column("OS-Image", _told("osImage"), priority=1, description="Its operating system."),
    Column("Kernel-Version", _told("kernelVersion"), priority=1, description="Its kernel."),
    Column("Container-Runtime", _told("containerRuntimeVersion"), priority=1, description="What runs its containers."),
)
QUOTA: Final = (
    Column("Request", _quota("requests."), description="What is used of what may be asked for."),
    Column("Limit", _quota("limits."), description="What is used of what may be taken at most."),
)
PRIORITY_CLASS: Final = (
    Column("Value", text("value", absent=0), type="integer", description="The greater, the sooner."),
    Column("Global-Default", _flag("globalDefault"), type="boolean", description="Whether pods without one have it."),
    AGE,
    Column("PreemptionPolicy", text("preemptionPolicy"), priority=1, description="Whether others make room."),
)
STORAGE_CLASS: Final = (
    Column("Name", _storage_class_name, description="Its name."),
    Column("Provisioner", text("provisioner"), description="Who makes the volumes."),
    Column("ReclaimPolicy", text("reclaimPolicy", absent="Delete"), description="What follows the end of a claim."),
    Column("VolumeBindingMode", text("volumeBindingMode", absent="<unset>"), description="When a claim gets a volume."),
    Column("AllowVolumeExpansion", _flag("allowVolumeExpansion"), type="string", description="Whether volumes grow."),
    AGE,
)
CSI_DRIVER: Final = (
    Column("AttachRequired", _spec_flag("attachRequired"), type="boolean", description="Whether volumes are attached."),
    Column("PodInfoOnMount", _spec_flag("podInfoOnMount"), type="boolean", description="Whether it is told of pods."),
    Column(
        "StorageCapacity", _spec_flag("storageCapacity"), type="boolean", description="Whether it tells what is left."
    ),
    Column(
        "TokenRequests",
        lambda item: join([str(each.get("audience", "")) for each in spec_of(item).get("tokenRequests") or ()]).replace(
            NONE, "<unset>"
        ),
        description="Whose tokens it is given.",
    ),
    Column(
        "RequiresRepublish", _spec_flag("requiresRepublish"), type="boolean", description="Whether it is asked again."
    ),
    Column(
        "Modes",
        lambda item: join(list(spec_of(item).get("volumeLifecycleModes") or ())),
        description="How long its volumes last.",
    ),
)
RUNTIME_CLASS: Final = (Column("Handler", text("handler"), description="What the nodes call it."),)
WEBHOOKS: Final = (
    Column("Webhooks", lambda item: len(item.get("webhooks") or ()), type="integer", description="How many there are."),
)
