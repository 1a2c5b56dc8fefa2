"""Workloads: what the API checks when what runs pods is written, and what it says of it. Pure."""

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from kfambassador.local.kube.documents.document import Document, namespace_of
from kfambassador.local.kube.documents.faults import FieldFault, list_new
from kfambassador.local.kube.kinds.kind import Admitted, Index
from kfambassador.local.kube.validation import idle
from kfambassador.local.kube.validation.pod_rules import check_pod_change, check_pod_spec
from kfambassador.local.kube.validation.workload_rules import (
    check_cron_job,
    check_job,
    check_job_change,
    check_workload,
    check_workload_change,
)

#: Where the store's index has the accounts and the priority classes that there are.
ACCOUNTS: Final = "account"
PRIORITIES: Final = "priority-class"

#: The priority classes of every cluster; nobody can make or delete them.
_SYSTEM_PRIORITIES: Final = frozenset({"system-cluster-critical", "system-node-critical"})

_Check: TypeAlias = Callable[[Document], Iterator[FieldFault]]
_CheckChange: TypeAlias = Callable[[Document, Document], Iterator[FieldFault]]


def admit_deployment(deployment: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a Deployment, and say that nothing runs it."""
    return _admit(deployment, before, idle.tell_deployment)


def admit_replica_set(replica_set: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a ReplicaSet, and say that nothing runs it."""
    return _admit(replica_set, before, idle.tell_replica_set)


def admit_replication_controller(controller: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a ReplicationController, and say that nothing runs it."""
    return _admit(controller, before, idle.tell_replica_set)


def admit_stateful_set(stateful_set: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a StatefulSet, and say that nothing runs it."""
    return _admit(stateful_set, before, idle.tell_stateful_set)


def admit_daemon_set(daemon_set: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a DaemonSet, and say that nothing runs it."""
    return _admit(daemon_set, before, idle.tell_daemon_set)


def admit_job(job: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a Job, and say that nothing runs it."""
    told = idle.with_idle_status(job, before, idle.tell_job)
    return Admitted(told, _check(job, before, check_job, check_job_change))


def admit_cron_job(cron_job: Document, before: Document | None, _index: Index) -> Admitted:
    """Check a CronJob."""
    return Admitted(cron_job, list_new(check_cron_job(cron_job), check_cron_job(before) if before else ()))


def admit_pod(pod: Document, before: Document | None, index: Index) -> Admitted:
    """Check a Pod, and say that nothing runs it. Whoever writes its status says where it is."""
    if before is None and (missing := _find_missing(pod, index)):
        return Admitted(pod, forbidden=missing)
    told = idle.with_idle_status(pod, before, idle.tell_pod)
    phased = told | {"status": {"phase": "Pending"} | told["status"]}
    return Admitted(phased, _check(pod, before, _check_pod, _check_pod_change))


def name_account(namespace: str, name: str) -> str:
    """The value of :data:`ACCOUNTS` of an account."""
    return f"{namespace}/{name}"


def _find_missing(pod: Document, index: Index) -> str:
    # What a new Pod goes by and is not there.
    spec: Document = pod.get("spec") or {}
    priority, account = spec.get("priorityClassName"), spec.get("serviceAccountName") or "default"
    if priority and priority not in _SYSTEM_PRIORITIES and not index.find(PRIORITIES, priority):
        return f"no PriorityClass with name {priority} was found"
    place = name_account(namespace_of(pod), account)
    if not index.find(ACCOUNTS, place):
        return f'error looking up service account {place}: serviceaccount "{account}" not found'
    return ""


def _admit(workload: Document, before: Document | None, tell: idle.Telling) -> Admitted:
    faults = _check(workload, before, check_workload, check_workload_change)
    return Admitted(workload if faults else idle.with_idle_status(workload, before, tell), faults)


def _check(
    document: Document, before: Document | None, check: _Check, check_change: _CheckChange
) -> tuple[FieldFault, ...]:
    if before is None:
        return tuple(check(document))
    return (*check_change(document, before), *list_new(check(document), check(before)))


def _check_pod(pod: Document) -> Iterator[FieldFault]:
    return check_pod_spec(pod.get("spec") or {}, "spec")


def _check_pod_change(pod: Document, before: Document) -> Iterator[FieldFault]:
    return check_pod_change(pod.get("spec") or {}, before.get("spec") or {})
