"""Idle workloads: the status of what a cluster would run and this server only keeps. Pure.

A status says that nothing runs an object and what to do about it, so that whoever waits for it learns why. It is the
server's as long as nobody else has written it: whoever writes a status knows better, and it is left alone from then on.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.document import Document, metadata_of
from kfambassador.local.kube.documents.metadata import count_generation

#: Makes the status of an object of a generation.
Telling: TypeAlias = Callable[[Document, int], Document]

#: Kubernetes' word for a Deployment that gets nowhere: kubectl's ``rollout status`` stops waiting when it reads it.
_GIVEN_UP: Final = "ProgressDeadlineExceeded"
#: The reason where Kubernetes has no word, because every cluster runs something.
IDLE: Final = "NothingRunsIt"


def with_idle_status(document: Document, before: Document | None, tell: Telling) -> Document:
    """An object with the status of an idle one, unless somebody else has written its status.

    Args:
        document: The object as it will be, with the status that was sent or that it has.
        before: The object as it was, None for a new one.
        tell: Makes the status.
    """
    status: Document = document.get("status") or {}
    own: Document = tell(before, metadata_of(before).get("generation", 1)) if before else {}
    if not status or status == own:
        return document | {"status": tell(document, count_generation(document, before))}
    # Somebody runs it after all: what was said of it does not hold any longer.
    said = own.get("conditions") or ()
    left = [condition for condition in status.get("conditions") or () if condition not in said]
    kept = {field: value for field, value in status.items() if field != "conditions"}
    return document | {"status": kept | ({"conditions": left} if left else {})}


def tell_deployment(deployment: Document, generation: int) -> Document:
    """The status of a Deployment that nothing runs."""
    replicas = _replicas_of(deployment)
    if not replicas:
        rest = "No replicas are asked for, so none are missing."
        available = make_condition(deployment, "Available", "True", "MinimumReplicasAvailable", rest)
        progressing = make_condition(deployment, "Progressing", "True", "NewReplicaSetAvailable", rest)
    else:
        why = _explain("Deployment")
        available = make_condition(deployment, "Available", "False", "MinimumReplicasUnavailable", why)
        progressing = make_condition(deployment, "Progressing", "False", _GIVEN_UP, why)
    updated = {"lastUpdateTime": metadata_of(deployment).get("creationTimestamp")}
    conditions = [available | updated, progressing | updated]
    missing = {"unavailableReplicas": replicas} if replicas else {}
    return {"observedGeneration": generation} | missing | {"conditions": conditions}


def tell_replica_set(replica_set: Document, generation: int) -> Document:
    """The status of a ReplicaSet or ReplicationController that nothing runs."""
    status: Document = {"replicas": 0, "observedGeneration": generation}
    if not _replicas_of(replica_set):
        return status
    why = _explain(str(replica_set.get("kind")))
    return status | {"conditions": [make_condition(replica_set, "ReplicaFailure", "True", "FailedCreate", why)]}


def tell_stateful_set(stateful_set: Document, generation: int) -> Document:
    """The status of a StatefulSet that nothing runs."""
    status: Document = {"replicas": 0, "availableReplicas": 0, "observedGeneration": generation}
    return status | (_idle(stateful_set, "StatefulSet") if _replicas_of(stateful_set) else {})


def tell_daemon_set(daemon_set: Document, generation: int) -> Document:
    """The status of a DaemonSet that nothing runs: as on a cluster without nodes, none is missing."""
    counts = {"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0}
    return counts | {"observedGeneration": generation} | _idle(daemon_set, "DaemonSet")


def tell_job(job: Document, _generation: int) -> Document:
    """The status of a Job that nothing runs: it failed, so that whoever waits for its end need not wait on."""
    if (job.get("spec") or {}).get("suspend"):
        return {"conditions": [make_condition(job, "Suspended", "True", "JobSuspended", "Job suspended")]}
    return {"conditions": [make_condition(job, "Failed", "True", IDLE, _explain("Job"))]}


def tell_pod(pod: Document, _generation: int) -> Document:
    """The status of a Pod that nothing runs: as on a cluster where no node has room for it."""
    condition = make_condition(pod, "PodScheduled", "False", "Unschedulable", _explain("Pod"))
    return {"phase": "Pending", "conditions": [condition]}


def find_explanation(workload: Document) -> str:
    """Why nothing runs a workload, where its status says so, and "" where it does not.

    Example:
        >>> find_explanation({"kind": "Job", "status": tell_job({"kind": "Job"}, 1)})[:27]
        'Nothing here runs this Job:'
        >>> find_explanation({"kind": "Job", "status": {"succeeded": 1}})
        ''
    """
    why = _explain(str(workload.get("kind")))
    conditions = (workload.get("status") or {}).get("conditions") or ()
    return why if any(each.get("message") == why for each in conditions) else ""


def with_binding(pod: Document, node: str, now: str) -> Document:
    """The same Pod on a node, as whoever places pods says."""
    since = {"type": "PodScheduled", "status": "True", "lastTransitionTime": now}
    status: Document = pod.get("status") or {}
    others = [each for each in status.get("conditions") or () if each.get("type") != "PodScheduled"]
    bound = {"spec": (pod.get("spec") or {}) | {"nodeName": node}, "status": status | {"conditions": [*others, since]}}
    return pod | bound


def _replicas_of(document: Document) -> int:
    wanted = (document.get("spec") or {}).get("replicas")
    return 1 if wanted is None else int(wanted)


def _idle(document: Document, kind: str) -> Document:
    return {"conditions": [make_condition(document, "Available", "False", IDLE, _explain(kind))]}


def make_condition(document: Document, sort: str, is_so: str, reason: str, message: str) -> Document:
    """A condition that has been so since the object was made."""
    since = metadata_of(document).get("creationTimestamp")
    return {"type": sort, "status": is_so, "lastTransitionTime": since, "reason": reason, "message": message}


def _explain(kind: str) -> str:
    return (
        f"Nothing here runs this {kind}: this API server keeps objects and starts no containers. Start the program"
        " yourself and point a Service at it, or apply the same manifest to a cluster."
    )
