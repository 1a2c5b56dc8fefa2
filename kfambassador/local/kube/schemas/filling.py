"""Filling: the defaults that depend on other fields, which a table of messages cannot say. Pure.

Each function takes an object that fits its schema and has that schema's defaults.
"""

from typing import Final

from kfambassador.local.kube.documents.document import Document, Json, metadata_of, name_of, with_metadata

_CONTAINERS: Final = ("initContainers", "containers", "ephemeralContainers")
_LATEST: Final = "latest"
_CLAIM: Final = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
_PENDING: Final = {"status": {"phase": "Pending"}}
_TROUBLES: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_BATCH: Final = "batch.kubernetes.io"


def fill_pod(pod: Document) -> Document:
    """Fill in what a pod has that a template of pods does not have."""
    spec: Document = fill_pod_spec(pod["spec"])
    account = spec.get("serviceAccountName") or "default"
    own: Document = {"enableServiceLinks": True, "serviceAccountName": account, "serviceAccount": account}
    if not spec.get("priorityClassName"):
        own |= {"priority": 0, "preemptionPolicy": "PreemptLowerPriority"}
    spec = own | spec | {"tolerations": _with_patience(spec.get("tolerations") or [])}
    for field in _CONTAINERS[:2]:
        if spec.get(field):
            spec[field] = [_ask_for_limits(container) for container in spec[field]]
    return pod | {"spec": spec}


def _with_patience(tolerations: list[Document]) -> list[Document]:
    # A node that is not ready, or out of reach, may come back within five minutes.
    borne = {each.get("key", "") for each in tolerations if each.get("effect") in {None, "", "NoExecute"}}
    missing = [trouble for trouble in _TROUBLES if not borne & {trouble, ""}]
    patience: Document = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    return [*tolerations, *({"key": trouble} | patience for trouble in missing)]


def _ask_for_limits(container: Document) -> Document:
    # Who names a limit only is taken to ask for as much.
    resources: Document = container.get("resources") or {}
    if not resources.get("limits"):
        return container
    requests = resources["limits"] | (resources.get("requests") or {})
    return container | {"resources": resources | {"requests": requests}}


def fill_pod_spec(spec: Document) -> Document:
    """Fill in the specification of a pod, or of a template of pods."""
    filled = dict(spec)
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        filled |= {"serviceAccountName": account, "serviceAccount": account}
    if spec.get("volumes"):
        filled["volumes"] = [each if len(each) > 1 else each | {"emptyDir": {}} for each in spec["volumes"]]
    for field in _CONTAINERS:
        if spec.get(field):
            filled[field] = [_fill_container(each, on_host=bool(spec.get("hostNetwork"))) for each in spec[field]]
    return filled


def _fill_container(container: Document, *, on_host: bool) -> Document:
    filled = container
    if not container.get("imagePullPolicy"):
        tag = _tag_of(container.get("image") or "")
        filled = filled | {"imagePullPolicy": "Always" if tag == _LATEST else "IfNotPresent"}
    if on_host and container.get("ports"):
        ports = [
            port if port.get("hostPort") else port | {"hostPort": port["containerPort"]} for port in container["ports"]
        ]
        filled = filled | {"ports": ports}
    return filled


def _tag_of(image: str) -> str:
    # A colon before the last slash belongs to the port of a registry; a digest says more than a tag.
    name, at, _ = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return tag if colon else "" if at else _LATEST


def _with_pods(document: Document) -> Document:
    """The same object with the template of its pods filled in."""
    template: Document = document["spec"].get("template") or {}
    if not template.get("spec"):
        return document
    filled = template | {"spec": fill_pod_spec(template["spec"])}
    return document | {"spec": document["spec"] | {"template": filled}}


def _with_rolling(document: Document, field: str, rolling: Document) -> Document:
    """The same object with the numbers of a rolling update filled in."""
    spec: Document = document["spec"]
    strategy: Document = spec.get(field) or {}
    if strategy.get("type") != "RollingUpdate":
        return document
    filled = strategy | {"rollingUpdate": rolling | (strategy.get("rollingUpdate") or {})}
    return document | {"spec": spec | {field: filled}}


def fill_deployment(deployment: Document) -> Document:
    """Fill in a Deployment."""
    return _with_rolling(_with_pods(deployment), "strategy", {"maxUnavailable": "25%", "maxSurge": "25%"})


def fill_daemon_set(daemon_set: Document) -> Document:
    """Fill in a DaemonSet."""
    return _with_rolling(_with_pods(daemon_set), "updateStrategy", {"maxUnavailable": 1, "maxSurge": 0})


def fill_stateful_set(stateful_set: Document) -> Document:
    """Fill in a StatefulSet."""
    filled = _with_rolling(_with_pods(stateful_set), "updateStrategy", {"partition": 0})
    claims = filled["spec"].get("volumeClaimTemplates")
    if not claims:
        return filled
    return filled | {"spec": filled["spec"] | {"volumeClaimTemplates": [_CLAIM | _PENDING | claim for claim in claims]}}


def fill_replica_set(replica_set: Document) -> Document:
    """Fill in a ReplicaSet: its labels are those of its pods unless it has others."""
    filled = _with_pods(replica_set)
    labels = metadata_of(filled["spec"].get("template") or {}).get("labels")
    return filled if metadata_of(filled).get("labels") or not labels else with_metadata(filled, labels=labels)


def fill_replication_controller(controller: Document) -> Document:
    """Fill in a ReplicationController: it counts the pods with its template's labels unless it says otherwise."""
    filled = fill_replica_set(controller)
    labels = metadata_of(filled["spec"].get("template") or {}).get("labels")
    return filled if filled["spec"].get("selector") else filled | {"spec": filled["spec"] | {"selector": labels or {}}}


def fill_job(job: Document) -> Document:
    """Fill in a Job: it counts the pods it makes by labels of its own, unless it says how to count them."""
    filled = _with_pods(job)
    spec: Document = dict(filled["spec"])
    if spec.get("parallelism") is None:
        spec["parallelism"] = 1
        if spec.get("completions") is None:
            spec["completions"] = 1
    spec.setdefault("podReplacementPolicy", "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    if not spec.get("manualSelector"):
        uid = str(metadata_of(job).get("uid", ""))
        controller = {f"{_BATCH}/controller-uid": uid}
        own = controller | {"controller-uid": uid, f"{_BATCH}/job-name": name_of(job), "job-name": name_of(job)}
        labels: dict[str, Json] = (metadata_of(spec["template"]).get("labels") or {}) | own
        spec["template"] = with_metadata(spec["template"], labels=labels)
        spec.setdefault("selector", {"matchLabels": controller})
    return filled | {"spec": spec}


def fill_cron_job(cron_job: Document) -> Document:
    """Fill in a CronJob; the jobs it makes are filled in as they are made."""
    made: Document = cron_job["spec"]["jobTemplate"]
    if not made.get("spec"):
        return cron_job
    return cron_job | {"spec": cron_job["spec"] | {"jobTemplate": _with_pods(made)}}


def fill_pod_template(template: Document) -> Document:
    """Fill in a PodTemplate."""
    return _with_pods({"spec": template})["spec"] if template.get("template") else template


def fill_volume(volume: Document) -> Document:
    """Fill in a PersistentVolume or a claim of one: nobody has looked at it yet."""
    return _PENDING | volume


def fill_autoscaler(scaler: Document) -> Document:
    """Fill in a HorizontalPodAutoscaler: unless it says otherwise, processors are kept at four fifths."""
    if scaler["spec"].get("metrics"):
        return scaler
    target = {"type": "Utilization", "averageUtilization": 80}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    return scaler | {"spec": scaler["spec"] | {"metrics": [metric]}}


def fill_first_autoscaler(scaler: Document) -> Document:
    """Fill in a HorizontalPodAutoscaler of version 1."""
    return scaler | {"spec": {"targetCPUUtilizationPercentage": 80} | scaler["spec"]}


def fill_network_policy(policy: Document) -> Document:
    """Fill in a NetworkPolicy: it is about what goes out as soon as it says anything of that."""
    spec: Document = policy.get("spec") or {}
    if spec.get("policyTypes"):
        return policy
    types = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    return policy | {"spec": spec | {"policyTypes": types}}


def fill_limit_range(limits: Document) -> Document:
    """Fill in a LimitRange: a container that names no limit has the greatest."""
    items = (limits.get("spec") or {}).get("limits")
    return limits | {"spec": {"limits": [_fill_limit(item) for item in items]}} if items else limits


def _fill_limit(item: Document) -> Document:
    if item.get("type") != "Container":
        return item
    default: Document = (item.get("max") or {}) | (item.get("default") or {})
    request: Document = default | (item.get("min") or {}) | (item.get("defaultRequest") or {})
    return item | ({"default": default} if default else {}) | ({"defaultRequest": request} if request else {})
