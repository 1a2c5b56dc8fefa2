"""The built-in kinds of workloads: what runs pods, scales them and says how many must stay."""

from typing import Final

from kfambassador.local.kube.kinds import autoscalers, workload_columns
from kfambassador.local.kube.kinds.kind import REPLICAS, SCALE, Kind, Subresource
from kfambassador.local.kube.schemas import filling
from kfambassador.local.kube.validation import autoscaling, disruption, workloads

_ALL: Final = ("all",)
_POD_SUBRESOURCES: Final = (
    Subresource("attach", "PodAttachOptions", ("create", "get"), "", "v1"),
    Subresource("binding", "Binding", ("create",), "", "v1"),
    Subresource("ephemeralcontainers", "Pod", ("get", "patch", "update")),
    Subresource("eviction", "Eviction", ("create",), "policy", "v1"),
    Subresource("exec", "PodExecOptions", ("create", "get"), "", "v1"),
    Subresource("log", "Pod", ("get",)),
    Subresource("portforward", "PodPortForwardOptions", ("create", "get"), "", "v1"),
)

WORKLOADS: Final = (
    Kind(
        "", "v1", "Pod", "pods", complete=filling.fill_pod,
        short_names=("po",), categories=_ALL, columns=workload_columns.POD, admit=workloads.admit_pod,
        has_status=True, returns_deleted=True,
        subresources=_POD_SUBRESOURCES,
    ),
    Kind(
        "", "v1", "PodTemplate", "podtemplates", complete=filling.fill_pod_template,
        columns=workload_columns.POD_TEMPLATE, returns_deleted=True,
    ),
    Kind(
        "", "v1", "ReplicationController", "replicationcontrollers", complete=filling.fill_replication_controller,
        short_names=("rc",), categories=_ALL, columns=workload_columns.REPLICATION_CONTROLLER, has_status=True,
        counts_generation=True, admit=workloads.admit_replication_controller, subresources=(SCALE,), scaling=REPLICAS,
    ),
    Kind(
        "apps", "v1", "Deployment", "deployments", complete=filling.fill_deployment,
        short_names=("deploy",), categories=_ALL, columns=workload_columns.DEPLOYMENT, has_status=True,
        counts_generation=True, admit=workloads.admit_deployment, subresources=(SCALE,), scaling=REPLICAS,
    ),
    Kind(
        "apps", "v1", "ReplicaSet", "replicasets", complete=filling.fill_replica_set,
        short_names=("rs",), categories=_ALL, columns=workload_columns.REPLICA_SET, has_status=True,
        counts_generation=True, admit=workloads.admit_replica_set, subresources=(SCALE,), scaling=REPLICAS,
    ),
    Kind(
        "apps", "v1", "StatefulSet", "statefulsets", complete=filling.fill_stateful_set,
        short_names=("sts",), categories=_ALL, columns=workload_columns.STATEFUL_SET, has_status=True,
        counts_generation=True, admit=workloads.admit_stateful_set, subresources=(SCALE,), scaling=REPLICAS,
    ),
    Kind(
        "apps", "v1", "DaemonSet", "daemonsets", complete=filling.fill_daemon_set,
        short_names=("ds",), categories=_ALL, columns=workload_columns.DAEMON_SET, has_status=True,
        counts_generation=True, admit=workloads.admit_daemon_set,
    ),
    Kind("apps", "v1", "ControllerRevision", "controllerrevisions", columns=workload_columns.CONTROLLER_REVISION),
    Kind(
        "batch", "v1", "Job", "jobs", complete=filling.fill_job,
        categories=_ALL, columns=workload_columns.JOB, has_status=True, counts_generation=True,
        admit=workloads.admit_job,
    ),
    Kind(
        "batch", "v1", "CronJob", "cronjobs", complete=filling.fill_cron_job,
        short_names=("cj",), categories=_ALL, columns=workload_columns.CRON_JOB, has_status=True,
        counts_generation=True, admit=workloads.admit_cron_job,
    ),
    Kind(
        "policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets",
        short_names=("pdb",), columns=workload_columns.DISRUPTION_BUDGET, has_status=True, counts_generation=True,
        admit=disruption.admit_disruption_budget,
    ),
    Kind(
        "autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", complete=filling.fill_autoscaler,
        short_names=("hpa",), categories=_ALL, columns=workload_columns.AUTOSCALER, has_status=True,
        admit=autoscaling.admit_autoscaler,
    ),
    Kind(
        "autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers",
        complete=filling.fill_first_autoscaler,
        short_names=("hpa",), categories=_ALL, columns=workload_columns.AUTOSCALER, has_status=True,
        conversion=autoscalers.CONVERSION, admit=autoscaling.admit_autoscaler,
    ),
    Kind(
        "", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", complete=filling.fill_volume,
        short_names=("pvc",), columns=workload_columns.CLAIM, has_status=True, returns_deleted=True,
    ),
    Kind(
        "", "v1", "PersistentVolume", "persistentvolumes", complete=filling.fill_volume,
        namespaced=False, short_names=("pv",), columns=workload_columns.VOLUME, has_status=True, returns_deleted=True,
    ),
)  # fmt: skip
