"""Columns of workloads: what kubectl shows of pods and of the kinds that run them. Pure."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.documents.durations import show_age, show_duration
from kfambassador.local.kube.kinds.columns import AGE, NONE, join, show_map, show_selector, spec_of, status_of, text
from kfambassador.local.kube.kinds.kind import Column


def _containers(pod: Document) -> list[Document]:
    # An init container that restarts always runs beside the others and is counted as one of them.
    beside = [each for each in spec_of(pod).get("initContainers") or () if each.get("restartPolicy") == "Always"]
    return [*beside, *(spec_of(pod).get("containers") or ())]


def _statuses(pod: Document) -> list[Document]:
    names = {each.get("name") for each in _containers(pod)}
    status = status_of(pod)
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return [each for each in listed if each.get("name") in names]


def _pod_ready(pod: Document) -> str:
    return f"{sum(bool(each.get('ready')) for each in _statuses(pod))}/{len(_containers(pod))}"


def _pod_status(pod: Document) -> str:
    status = status_of(pod)
    if metadata_of(pod).get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    gated = any(each.get("reason") == "SchedulingGated" for each in status.get("conditions") or ())
    told = "SchedulingGated" if gated else status.get("reason") or status.get("phase") or ""
    return _init_trouble(pod) or next(filter(None, map(_container_reason, _statuses(pod))), str(told))


def _init_trouble(pod: Document) -> str:
    listed = status_of(pod).get("initContainerStatuses") or ()
    for done, each in enumerate(listed):
        state = each.get("state") or {}
        if "terminated" in state and not state["terminated"].get("exitCode"):
            continue
        if each.get("started") and each.get("name") in {known.get("name") for known in _containers(pod)}:
            continue
        if "terminated" in state:
            return f"Init:{_container_reason(each)}"
        waiting = (state.get("waiting") or {}).get("reason") or "PodInitializing"
        total = len(spec_of(pod).get("initContainers") or ())
        return f"Init:{done}/{total}" if waiting == "PodInitializing" else f"Init:{waiting}"
    return ""


def _container_reason(status: Document) -> str:
    state: Document = status.get("state") or {}
    if waiting := (state.get("waiting") or {}).get("reason"):
        return str(waiting)
    if (ended := state.get("terminated")) is None:
        return ""
    how = f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"
    return str(ended.get("reason") or how)


def _restarts(pod: Document) -> str:
    found = _statuses(pod)
    count = sum(each.get("restartCount", 0) for each in found)
    ends = (((each.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for each in found)
    last = max(filter(None, ends), default="")
    return f"{count} ({show_age(last, now=datetime.now(UTC))} ago)" if count and last else str(count)


def _pod_address(pod: Document) -> str:
    status = status_of(pod)
    listed = [each.get("ip") for each in status.get("podIPs") or ()]
    return str(next(filter(None, [status.get("podIP"), *listed]), NONE))


def _readiness_gates(pod: Document) -> str:
    gates = [gate.get("conditionType") for gate in spec_of(pod).get("readinessGates") or ()]
    if not gates:
        return NONE
    true = {each.get("type") for each in status_of(pod).get("conditions") or () if each.get("status") == "True"}
    return f"{sum(gate in true for gate in gates)}/{len(gates)}"


def _template_containers(field: str, *path: str) -> Callable[[Document], object]:
    def read(document: Document) -> str:
        found: Document = document
        for name in path:
            found = found.get(name) or {}
        return ",".join(str(each.get(field, "")) for each in found.get("containers") or ())

    return read


def _wide(*path: str) -> tuple[Column, ...]:
    """The containers and images of a pod template under a path."""
    return (
        Column("Containers", _template_containers("name", *path), priority=1, description="The containers' names."),
        Column("Images", _template_containers("image", *path), priority=1, description="The images they run."),
    )


_WIDE: Final = _wide("spec", "template", "spec")
_SELECTOR: Final = Column(
    "Selector",
    lambda item: show_selector(spec_of(item).get("selector")),
    priority=1,
    description="The pods that are counted.",
)


def _counted(name: str, *path: str, description: str) -> Column:
    return Column(name, text(*path, absent=0), type="integer", description=description)


def _job_status(job: Document) -> str:
    conditions = status_of(job).get("conditions") or ()
    true = {each.get("type") for each in conditions if each.get("status") == "True"}
    if "Complete" in true or "Failed" in true:
        return "Complete" if "Complete" in true else "Failed"
    if metadata_of(job).get("deletionTimestamp"):
        return "Terminating"
    if "Suspended" in true:
        return "Suspended"
    return "FailureTarget" if "FailureTarget" in true else "Running"


def _completions(job: Document) -> str:
    spec, done = spec_of(job), status_of(job).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    parallel = spec.get("parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _job_duration(job: Document) -> str:
    began, ended = status_of(job).get("startTime"), status_of(job).get("completionTime")
    if not began:
        return ""
    until = datetime.fromisoformat(ended) if ended else datetime.now(UTC)
    return show_duration((until - datetime.fromisoformat(began)).total_seconds())


def _last_schedule(cron_job: Document) -> str:
    last = status_of(cron_job).get("lastScheduleTime")
    return show_age(last, now=datetime.now(UTC)) if last else NONE


def _metrics(scaler: Document) -> str:
    wanted, found = spec_of(scaler).get("metrics") or [], status_of(scaler).get("currentMetrics") or []
    shown = [_metric(each, found[place] if place < len(found) else {}) for place, each in enumerate(wanted)]
    more = f" + {len(shown) - 2} more..." if len(shown) > 2 else ""  # noqa: PLR2004 - as many as kubectl shows
    return ", ".join(shown[:2]) + more if shown else NONE


_METRICS: Final = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metric(spec: Document, status: Document) -> str:
    field = _METRICS.get(str(spec.get("type")), "")
    wanted, found = spec.get(field) or {}, (status.get(field) or {}).get("current") or {}
    target = wanted.get("target") or {}
    name = f"{wanted.get('name')}: " if "esource" in field else ""
    if target.get("averageUtilization") is not None:
        current = found.get("averageUtilization")
        return f"{name}{'<unknown>' if current is None else f'{current}%'}/{target['averageUtilization']}%"
    average = target.get("averageValue")
    current = found.get("averageValue" if average else "value", "<unknown>")
    suffix = " (avg)" if average and field in {"object", "external"} else ""
    return f"{name}{current}/{average or target.get('value', '<auto>')}{suffix}"


def _scaled(scaler: Document) -> str:
    target = spec_of(scaler).get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _claim_of(volume: Document) -> str:
    claim = spec_of(volume).get("claimRef")
    return f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else ""


_MODES: Final = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _show_modes(modes: Iterable[str] | None) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _claim_phase(claim: Document) -> object:
    return "Terminating" if metadata_of(claim).get("deletionTimestamp") else status_of(claim).get("phase", "")


POD: Final = (
    Column("Ready", _pod_ready, description="How many containers are ready, and of how many."),
    Column("Status", _pod_status, description="How the pod as a whole is."),
    Column("Restarts", _restarts, description="How often its containers were started again."),
    AGE,
    Column("IP", _pod_address, priority=1, description="Its address."),
    Column("Node", text("spec", "nodeName", absent=NONE), priority=1, description="The node it is on."),
    Column(
        "Nominated Node", text("status", "nominatedNodeName", absent=NONE), priority=1, description="Its next node."
    ),
    Column("Readiness Gates", _readiness_gates, priority=1, description="How many of its gates are open."),
)
POD_TEMPLATE: Final = (
    Column("Containers", _template_containers("name", "template", "spec"), description="The containers' names."),
    Column("Images", _template_containers("image", "template", "spec"), description="The images they run."),
    Column(
        "Pod Labels",
        lambda item: show_map(metadata_of(item.get("template") or {}).get("labels")),
        description="The labels of the pods.",
    ),
)
DEPLOYMENT: Final = (
    Column(
        "Ready",
        lambda item: f"{status_of(item).get('readyReplicas', 0)}/{spec_of(item).get('replicas', 1)}",
        description="How many pods are ready, and of how many.",
    ),
    _counted("Up-to-date", "status", "updatedReplicas", description="How many pods are of the newest template."),
    _counted("Available", "status", "availableReplicas", description="How many pods are available."),
    AGE,
    *_WIDE,
    _SELECTOR,
)
REPLICA_SET: Final = (
    _counted("Desired", "spec", "replicas", description="How many pods are wanted."),
    _counted("Current", "status", "replicas", description="How many pods there are."),
    _counted("Ready", "status", "readyReplicas", description="How many pods are ready."),
    AGE,
    *_WIDE,
    _SELECTOR,
)
REPLICATION_CONTROLLER: Final = (
    *REPLICA_SET[:-1],
    Column(
        "Selector",
        lambda item: show_map(spec_of(item).get("selector")),
        priority=1,
        description="The pods that are counted.",
    ),
)
STATEFUL_SET: Final = (DEPLOYMENT[0], AGE, *_WIDE)
DAEMON_SET: Final = (
    _counted("Desired", "status", "desiredNumberScheduled", description="How many nodes should run a pod."),
    _counted("Current", "status", "currentNumberScheduled", description="How many nodes run a pod."),
    _counted("Ready", "status", "numberReady", description="How many pods are ready."),
    _counted("Up-to-date", "status", "updatedNumberScheduled", description="How many are of the newest template."),
    _counted("Available", "status", "numberAvailable", description="How many pods are available."),
    Column(
        "Node Selector",
        lambda item: show_map((((spec_of(item).get("template") or {}).get("spec")) or {}).get("nodeSelector")),
        description="The labels of the nodes.",
    ),
    AGE,
    *_WIDE,
    _SELECTOR,
)
CONTROLLER_REVISION: Final = (
    Column(
        "Controller",
        lambda item: join([f"{each['kind'].lower()}/{each['name']}" for each in _controllers(item)]),
        description="Whose history it belongs to.",
    ),
    Column("Revision", text("revision", absent=0), type="integer", description="Its number."),
)


def _controllers(item: Document) -> list[Document]:
    return [each for each in metadata_of(item).get("ownerReferences") or () if each.get("controller")]


JOB: Final = (
    Column("Status", _job_status, description="How the job is."),
    Column("Completions", _completions, description="How many pods have succeeded, and of how many."),
    Column("Duration", _job_duration, description="How long it took, or has taken."),
    AGE,
    *_WIDE,
    _SELECTOR,
)
CRON_JOB: Final = (
    Column("Schedule", text("spec", "schedule"), description="When it runs."),
    Column("Timezone", text("spec", "timeZone", absent=NONE), description="By which clock."),
    Column(
        "Suspend", lambda item: str(bool(spec_of(item).get("suspend"))), type="boolean", description="Whether it rests."
    ),
    Column(
        "Active", lambda item: len(status_of(item).get("active") or ()), type="integer", description="Jobs at work."
    ),
    Column("Last Schedule", _last_schedule, description="When it ran last."),
    AGE,
    *_wide("spec", "jobTemplate", "spec", "template", "spec"),
    Column("Selector", lambda _: NONE, priority=1, description="The pods that are counted."),
)
DISRUPTION_BUDGET: Final = (
    Column("Min Available", text("spec", "minAvailable", absent="N/A"), description="How many pods must stay."),
    Column("Max Unavailable", text("spec", "maxUnavailable", absent="N/A"), description="How many pods may go."),
    _counted("Allowed Disruptions", "status", "disruptionsAllowed", description="How many may go now."),
)
AUTOSCALER: Final = (
    Column("Reference", _scaled, description="What is scaled."),
    Column("Targets", _metrics, description="What is measured, and what is wanted."),
    Column("MinPods", text("spec", "minReplicas", absent="<unset>"), description="The least pods."),
    Column("MaxPods", text("spec", "maxReplicas"), type="integer", description="The most pods."),
    _counted("Replicas", "status", "currentReplicas", description="How many pods there are."),
)
CLAIM: Final = (
    Column("Status", _claim_phase, description="Whether it has a volume."),
    Column("Volume", text("spec", "volumeName"), description="Its volume."),
    Column("Capacity", text("status", "capacity", "storage"), description="How large that is."),
    Column("Access Modes", lambda item: _show_modes(status_of(item).get("accessModes")), description="How it is used."),
    Column("StorageClass", text("spec", "storageClassName"), description="What kind of volume it asks for."),
    Column(
        "VolumeAttributesClass", text("spec", "volumeAttributesClassName", absent="<unset>"), description="Its tuning."
    ),
    AGE,
    Column("VolumeMode", text("spec", "volumeMode", absent="<unset>"), priority=1, description="Files or blocks."),
)
VOLUME: Final = (
    Column("Capacity", text("spec", "capacity", "storage"), description="How large it is."),
    Column("Access Modes", lambda item: _show_modes(spec_of(item).get("accessModes")), description="How it is used."),
    Column(
        "Reclaim Policy", text("spec", "persistentVolumeReclaimPolicy"), description="What follows its claim's end."
    ),
    Column("Status", _claim_phase, description="Whether it is taken."),
    Column("Claim", _claim_of, description="Who has it."),
    Column("StorageClass", text("spec", "storageClassName"), description="What kind of volume it is."),
    Column(
        "VolumeAttributesClass", text("spec", "volumeAttributesClassName", absent="<unset>"), description="Its tuning."
    ),
    Column("Reason", text("status", "reason"), description="Why it is as it is."),
    AGE,
    Column("VolumeMode", text("spec", "volumeMode", absent="<unset>"), priority=1, description="Files or blocks."),
)
