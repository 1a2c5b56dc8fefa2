"""Workflows as pipelines are compiled to: a definition that keeps whatever it is given, and large nested objects."""

import json
from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Kubectl
from tests.cluster.raw_api import Object, RawApi
from tests.cluster.things import DEFINITIONS

WORKFLOWS = f"{DEFINITIONS}/workflows.argoproj.io"
ANYTHING: Object = {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-map-type": "atomic"}


def definition() -> Object:
    """The definition of Workflows, in its short form."""
    columns = [
        {"name": "Status", "type": "string", "jsonPath": ".status.phase", "description": "Where it is."},
        {"name": "Age", "type": "date", "jsonPath": ".status.startedAt", "format": "date-time"},
    ]
    fields = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    schema: Object = {"type": "object", "required": ["metadata", "spec"]}
    schema |= {"properties": fields | {"spec": ANYTHING, "status": ANYTHING}}
    version: Object = {"name": "v1alpha1", "served": True, "storage": True, "subresources": {}}
    version |= {"additionalPrinterColumns": columns, "schema": {"openAPIV3Schema": schema}}
    names: Object = {"kind": "Workflow", "listKind": "WorkflowList", "plural": "workflows", "shortNames": ["wf"]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "workflows.argoproj.io"},
        "spec": {
            "group": "argoproj.io",
            "names": names | {"singular": "workflow"},
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def workflow(**metadata: str) -> Object:
    """A Workflow of two steps, as a compiler writes it."""
    component = json.dumps({"executorLabel": "exec-train", "inputDefinitions": {"parameters": {"epochs": 3}}})
    container = {
        "name": "train",
        "container": {
            "image": "example.com/train:1",
            "command": ["sh", "-c", 'echo "{{inputs.parameters.epochs}}" && python -m train'],
            "args": ["--executor_input", "{{$}}", "--function_to_execute", "train"],
            "env": [{"name": "KFP_POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            "resources": {"limits": {"cpu": "2", "memory": 4294967296, "nvidia.com/gpu": 1}},
            "volumeMounts": [{"mountPath": "/gcs", "name": "scratch"}],
        },
        "inputs": {"parameters": [{"name": "epochs"}, {"name": "pod-spec-patch", "default": ""}]},
        "outputs": {"artifacts": [{"name": "model", "path": "/tmp/outputs/model/data", "optional": True}]},
        "metadata": {"annotations": {"sidecar.istio.io/inject": "false"}},
        "retryStrategy": {"limit": 2, "retryPolicy": "Always"},
        "podSpecPatch": "{{inputs.parameters.pod-spec-patch}}",
        "volumes": [{"name": "scratch", "emptyDir": {}}],
    }
    epochs = [{"name": "epochs", "value": "{{workflow.parameters.epochs}}"}]
    tasks = [
        {"name": "train", "template": "train", "arguments": {"parameters": epochs}},
        {"name": "publish", "template": "train", "dependencies": ["train"], "when": "'{{tasks.train.status}}' != ''"},
    ]
    parameters = [{"name": "epochs", "value": "3"}, {"name": "components-comp-train", "value": component}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": metadata
        | {
            "annotations": {"pipelines.kubeflow.org/components-comp-train": component},
            "labels": {"pipelines.kubeflow.org/v2_component": "true"},
        },
        "spec": {
            "entrypoint": "entrypoint",
            "serviceAccountName": "pipeline-runner",
            "arguments": {"parameters": parameters},
            "podMetadata": {"labels": {"pipelines.kubeflow.org/v2_component": "true"}},
            "templates": [container, {"name": "entrypoint", "dag": {"tasks": tasks}}],
            "ttlStrategy": {"secondsAfterCompletion": 86400},
        },
    }


@pytest.fixture
def workflows(api: RawApi, namespace: str, kubectl: Kubectl) -> Iterator[str]:
    """Return the path of the namespace's Workflows; their definition goes at the end."""
    kubectl("apply", "-f", "-", given=json.dumps(definition()))
    kubectl("wait", "--for=condition=Established", "crd/workflows.argoproj.io", "--timeout=60s")
    yield f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows"
    api.delete(WORKFLOWS)


@pytest.mark.parametrize("way", [[], ["--server-side"]], ids=["client", "server"])
def test_a_workflow_is_applied_as_it_is(api: RawApi, workflows: str, kubectl: Kubectl, way: list[str]) -> None:
    body = workflow(name="train")
    kubectl("apply", *way, "-f", "-", given=json.dumps(body))
    assert api.get(f"{workflows}/train").object["spec"] == body["spec"]
    kubectl("diff", *way, "-f", "-", given=json.dumps(body))
    body["spec"]["arguments"]["parameters"][0]["value"] = "5"
    kubectl("apply", *way, "-f", "-", given=json.dumps(body))
    assert api.get(f"{workflows}/train").object["spec"] == body["spec"]


def test_each_run_of_a_workflow_has_a_name_of_its_own(api: RawApi, workflows: str, kubectl: Kubectl) -> None:
    body = json.dumps(workflow(generateName="train-"))
    made = {kubectl("create", "-f", "-", "-o", "name", given=body).strip() for _ in range(2)}
    assert len(made) == 2
    [name, _] = sorted(each.rpartition("/")[2] for each in made)
    # A controller of Workflows writes what became of them into the object itself: there is no status apart.
    running = {"status": {"phase": "Running", "startedAt": "2026-01-02T03:04:05Z", "nodes": {name: {"type": "DAG"}}}}
    assert api.patch(f"{workflows}/{name}", running).object["status"] == running["status"]
    assert "Running" in kubectl("get", "wf", name)
    chosen = kubectl("get", "wf", "-l", "pipelines.kubeflow.org/v2_component=true", "-o", "name")
    assert {*chosen.split()} == made
