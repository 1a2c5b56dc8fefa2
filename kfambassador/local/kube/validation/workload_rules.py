"""Workload rules: what whatever runs pods may say of itself. Pure."""

from collections.abc import Collection, Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, name_of
from kfambassador.local.kube.documents.faults import Fault, FieldFault, unsupported
from kfambassador.local.kube.documents.label_selectors import check_label_selector, is_empty, matches
from kfambassador.local.kube.documents.metadata import check_labels
from kfambassador.local.kube.validation.amounts import NOT_NEGATIVE, check_count_or_percent
from kfambassador.local.kube.validation.pod_rules import check_pod_spec
from kfambassador.local.kube.validation.scheduling import BadSchedule, check_schedule

_IMMUTABLE: Final = "field is immutable"
_COUNTED: Final = (
    *("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"),
    *("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished"),
)
_STRATEGIES: Final = {
    "Deployment": ("strategy", ("Recreate", "RollingUpdate")),
    "DaemonSet": ("updateStrategy", ("OnDelete", "RollingUpdate")),
    "StatefulSet": ("updateStrategy", ("OnDelete", "RollingUpdate")),
}
_MANAGEMENT: Final = ("OrderedReady", "Parallel")
_COMPLETION: Final = ("Indexed", "NonIndexed")
_JOB_RESTARTS: Final = ("Never", "OnFailure")
_CONCURRENCY: Final = ("Allow", "Forbid", "Replace")
#: What of a StatefulSet may change.
_FREE: Final = (
    *("replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit"),
    *("persistentVolumeClaimRetentionPolicy", "minReadySeconds"),
)
#: How Kubernetes calls the kinds whose selector may not be empty; it speaks of deployments also where it means others.
_CALLED: Final = {"StatefulSet": "statefulset", "DaemonSet": "daemonset"}


def check_workload(workload: Document) -> Iterator[FieldFault]:
    """Find what is wrong with a Deployment, ReplicaSet, StatefulSet, DaemonSet or ReplicationController."""
    kind, spec = str(workload.get("kind")), workload.get("spec") or {}
    yield from _check_counts(spec)
    selector: Document = spec.get("selector") or {}
    if kind == "ReplicationController":
        selector = {"matchLabels": selector}
        if is_empty(selector):
            yield FieldFault(Fault.REQUIRED, "spec.selector")
    elif is_empty(selector):
        rule = f"empty selector is invalid for {_CALLED.get(kind, 'deployment')}"
        yield FieldFault(Fault.INVALID, "spec.selector", rule, spec.get("selector"))
    else:
        yield from check_label_selector(selector, "spec.selector")
    template: Document = spec.get("template") or {}
    labels: Document = (template.get("metadata") or {}).get("labels") or {}
    if not is_empty(selector) and not matches(selector, labels):
        rule = "`selector` does not match template `labels`"
        yield FieldFault(Fault.INVALID, "spec.template.metadata.labels", rule, labels)
    claimed = [name_of(claim) for claim in spec.get("volumeClaimTemplates") or ()]
    yield from _check_template(template, "spec.template", ("Always",), claimed=claimed)
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        rule = f"activeDeadlineSeconds in {kind} is not Supported"
        yield FieldFault(Fault.FORBIDDEN, "spec.template.spec.activeDeadlineSeconds", rule)
    yield from _check_strategy(kind, spec)
    management = spec.get("podManagementPolicy")
    if kind == "StatefulSet" and management not in _MANAGEMENT:
        yield unsupported("spec.podManagementPolicy", management, _MANAGEMENT)


def _check_counts(spec: Document) -> Iterator[FieldFault]:
    for field in _COUNTED:
        if (spec.get(field) or 0) < 0:
            yield FieldFault(Fault.INVALID, f"spec.{field}", NOT_NEGATIVE, spec[field])
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if deadline is not None and deadline <= ready:
        rule = "must be greater than minReadySeconds"
        yield FieldFault(Fault.INVALID, "spec.progressDeadlineSeconds", rule, deadline)


def _check_template(
    template: Document, path: str, restarts: tuple[str, ...], *, claimed: Collection[str] = ()
) -> Iterator[FieldFault]:
    metadata: Document = template.get("metadata") or {}
    yield from check_labels(metadata.get("labels") or {}, f"{path}.labels")
    yield from check_pod_spec(template.get("spec") or {}, f"{path}.spec", restarts, claimed=claimed)


def _check_strategy(kind: str, spec: Document) -> Iterator[FieldFault]:
    field, choices = _STRATEGIES.get(kind, ("", ()))
    strategy: Document = spec.get(field) or {}
    if not field:
        return
    sort, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if sort not in choices:
        yield unsupported(f"spec.{field}.type", sort, choices)
    if sort == "Recreate" and rolling is not None:
        rule = "may not be specified when strategy `type` is 'Recreate'"
        yield FieldFault(Fault.FORBIDDEN, f"spec.{field}.rollingUpdate", rule)
    if kind != "StatefulSet" and sort == "RollingUpdate" and rolling is not None:
        surge, missing = rolling.get("maxSurge"), rolling.get("maxUnavailable")
        for name in ("maxUnavailable", "maxSurge"):
            where = f"spec.{field}.rollingUpdate.{name}"
            # More pods may be made meanwhile than there were, but no more can be missing than there are.
            yield from check_count_or_percent(rolling.get(name), where, of_whole=name == "maxUnavailable")
        if surge in {0, "0%"} and missing in {0, "0%"}:
            rule = "may not be 0 when `maxSurge` is 0"
            yield FieldFault(Fault.INVALID, f"spec.{field}.rollingUpdate.maxUnavailable", rule, missing)


def check_workload_change(workload: Document, before: Document) -> Iterator[FieldFault]:
    """Find what of a workload may not change once it is there."""
    kind, spec, old = workload.get("kind"), workload.get("spec") or {}, before.get("spec") or {}
    if kind == "StatefulSet":
        fixed = [{field: value for field, value in each.items() if field not in _FREE} for each in (spec, old)]
        if fixed[0] != fixed[1]:
            listed = ", ".join(f"'{field}'" for field in _FREE[:-1])
            rule = f"updates to statefulset spec for fields other than {listed} and '{_FREE[-1]}' are forbidden"
            yield FieldFault(Fault.FORBIDDEN, "spec", rule)
    elif kind != "ReplicationController" and spec.get("selector") != old.get("selector"):
        yield FieldFault(Fault.INVALID, "spec.selector", _IMMUTABLE, spec.get("selector"))


def check_job(job: Document) -> Iterator[FieldFault]:
    """Find what is wrong with a Job."""
    spec: Document = job.get("spec") or {}
    yield from _check_counts(spec)
    mode = spec.get("completionMode")
    if mode not in _COMPLETION:
        yield unsupported("spec.completionMode", mode, _COMPLETION)
    elif mode == "Indexed" and spec.get("completions") is None:
        yield FieldFault(Fault.REQUIRED, "spec.completions", "when completion mode is Indexed")
    yield from _check_template(spec.get("template") or {}, "spec.template", _JOB_RESTARTS)


def check_job_change(job: Document, before: Document) -> Iterator[FieldFault]:
    """Find what of a Job may not change once it is there."""
    spec, old = job.get("spec") or {}, before.get("spec") or {}
    fixed = ("selector", "completionMode", *(() if old.get("suspend") else ("template",)))
    for field in (*fixed, *(("completions",) if spec.get("completionMode") != "Indexed" else ())):
        if spec.get(field) != old.get(field):
            yield FieldFault(Fault.INVALID, f"spec.{field}", _IMMUTABLE, spec.get(field))


def check_cron_job(cron_job: Document) -> Iterator[FieldFault]:
    """Find what is wrong with a CronJob."""
    spec: Document = cron_job.get("spec") or {}
    schedule = str(spec.get("schedule") or "")
    if not schedule:
        yield FieldFault(Fault.REQUIRED, "spec.schedule")
    else:
        try:
            check_schedule(schedule)
        except BadSchedule as error:
            yield FieldFault(Fault.INVALID, "spec.schedule", str(error), schedule)
    for field in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if (spec.get(field) or 0) < 0:
            yield FieldFault(Fault.INVALID, f"spec.{field}", NOT_NEGATIVE, spec[field])
    policy = spec.get("concurrencyPolicy")
    if policy not in _CONCURRENCY:
        yield unsupported("spec.concurrencyPolicy", policy, _CONCURRENCY)
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    yield from _check_template(template, "spec.jobTemplate.spec.template", _JOB_RESTARTS)
