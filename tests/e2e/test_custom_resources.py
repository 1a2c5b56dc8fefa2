"""Mappings as custom resources: applied by the real kubectl, served by a real Envoy, and told what became of them."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.kinds import MAPPING
from kfambassador.local.models import ModelServer
from kfambassador.local.stack import LocalStack
from kfambassador.routing import compile as compiling
from tests.cluster.conftest import kubectl_path
from tests.e2e.gateway import Answer, fetch, until
from tests.e2e.local_gateway import client_of

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("custom-resources")]

MANIFEST = """
---
apiVersion: getambassador.io/{version}
kind: Mapping
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  prefix: {prefix}
  prefix_exact: true
  rewrite: /v1/models/half_plus_two
  service: {service}
  {more}
"""

STAMP = "2026-01-01T00:00:00Z"

LISTENER_AND_HOST = """
---
apiVersion: getambassador.io/v3alpha1
kind: Listener
metadata: {name: http, namespace: default}
spec:
  port: 8080
  protocol: HTTP
  securityModel: XFP
  hostBinding: {namespace: {from: ALL}}
---
apiVersion: getambassador.io/v2
kind: Host
metadata: {name: any, namespace: default}
spec:
  hostname: "*"
  requestPolicy: {insecure: {action: Route}}
"""


@dataclass(frozen=True)
class World:
    """A running gateway and its ways in."""

    stack: LocalStack
    client: KubeClient
    service: str
    kubectl: Callable[..., str]

    def manifest(self, name: str, *, version: str = "v3alpha1", namespace: str = "default", more: str = "") -> str:
        """A Mapping that takes /NAME/ to the model."""
        return MANIFEST.format(
            name=name, version=version, namespace=namespace, prefix=f"/{name}/", service=self.service, more=more
        )

    def status(self, name: str, *, namespace: str = "default") -> dict[str, object]:
        """The status of a Mapping; empty while it has none."""
        status = self.client.get(MAPPING, name, namespace=namespace).get("status")
        return status if isinstance(status, dict) else {}

    def await_state(self, name: str, state: str, *, namespace: str = "default") -> str:
        """Wait until a Mapping's status says so; give its reason."""
        until(lambda: self.status(name, namespace=namespace).get("state") == state)
        return str(self.status(name, namespace=namespace)["reason"])

    def read(self, path: str) -> dict[str, object]:
        """Ask the read API."""
        endpoint = self.stack.endpoint
        return fetch(f"{endpoint.diagnostics_url}/ambassador/v0/{path}", token=endpoint.diagnostics_token).json()

    def request(self, path: str) -> Answer:
        """Ask Envoy."""
        return fetch(self.stack.endpoint.url + path)


@contextmanager
def running_world(directory: Path, model: ModelServer) -> Iterator[World]:
    environment = {"KUBECONFIG": str(directory / "config"), "HOME": str(directory), "PATH": os.environ["PATH"]}

    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [str(kubectl_path()), *arguments], input=given, capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with LocalStack(kubeconfig=directory / "config") as stack, client_of(stack.endpoint) as client:
        yield World(stack, client, f"127.0.0.1:{model.port}", run)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("world"), model) as running:
        yield running


def test_every_version_is_applied_listed_explained_and_served_at_once(world: World) -> None:
    versions = ("v1", "v2", "v3alpha1")
    for version in versions:
        world.kubectl("apply", "-f", "-", given=world.manifest(f"in-{version}", version=version))
        for condition in ("Ready", "Accepted", "Programmed", "Conflicted=false", "Quarantined=false"):
            world.kubectl("wait", f"--for=condition={condition}", "--timeout=20s", f"mapping/in-{version}")
        assert world.request(f"/in-{version}/").status == 200
    table = world.kubectl("get", "mappings.v3alpha1.getambassador.io")
    headings, *rows = table.splitlines()
    for heading in ("NAME", "SOURCE HOST", "SOURCE PREFIX", "DEST SERVICE", "STATE", "REASON", "AGE"):
        assert heading in headings
    [row] = [row for row in rows if row.startswith("in-v2 ")]
    assert row.split()[1:4] == ["/in-v2/", world.service, "Running"]
    assert "mapping.getambassador.io/in-v1" in world.kubectl("get", "ambassador-crds", "-o", "name")
    assert "timeout_ms" in world.kubectl("explain", "mapping.spec")
    assert "whole request" in world.kubectl("explain", "mapping.spec.timeout_ms")
    assert "whole request" in world.kubectl("explain", "mapping.spec.timeout_ms", "--api-version=getambassador.io/v2")


def test_a_usual_file_of_emissarys_is_applied_and_its_mapping_served(world: World) -> None:
    file = LISTENER_AND_HOST + world.manifest("usual")
    applied = world.kubectl("apply", "-f", "-", given=file)
    for kept in ("listener.getambassador.io/http", "host.getambassador.io/any", "mapping.getambassador.io/usual"):
        assert kept in applied
    world.await_state("usual", "Running")
    assert world.request("/usual/").status == 200
    spec = json.loads(world.kubectl("get", "host", "any", "-o", "json"))["spec"]
    assert spec == {"hostname": "*", "requestPolicy": {"insecure": {"action": "Route"}}}
    # Whoever has such an object is told that it does nothing.
    with pytest.raises(AssertionError, match="kfambassador does not act on a Host"):
        world.kubectl("get", "host", "any", "--warnings-as-errors")
    assert "does not act on a Listener" in world.kubectl("explain", "listener")
    # Of objects that are there, those that count are listed, and nobody is warned.
    listed = world.kubectl("get", "ambassador-crds", "-o", "name", "--warnings-as-errors")
    assert "mapping.getambassador.io/usual" in listed
    assert "host.getambassador.io/any" not in listed


def test_old_spellings_are_taken_in_a_custom_resource_as_in_an_annotation(world: World) -> None:
    more = "headers: {x-kind: true}\n  ambassador_id: default\n  cors: {origins: 'https://a.com, https://b.com'}"
    world.kubectl("apply", "-f", "-", given=world.manifest("spelled", version="v2", more=more))
    assert world.await_state("spelled", "Running") == ""
    assert world.request("/spelled/").status == 404
    url = f"{world.stack.endpoint.url}/spelled/"
    assert world.read(f"explain?method=GET&url={url}&header=x-kind:1")["winner"] is not None


def test_what_a_schema_can_judge_is_refused_when_it_is_applied(world: World) -> None:
    with pytest.raises(AssertionError, match=r"spec\.weight.*less than or equal to 100"):
        world.kubectl("apply", "-f", "-", given=world.manifest("heavy", more="weight: 101"))
    with pytest.raises(AssertionError, match=r"spec\.prefix: Required value"):
        world.kubectl("apply", "-f", "-", given=world.manifest("bare").replace("prefix:", "prefixx:"))


def test_an_unknown_attribute_is_told_with_the_nearest_name(world: World) -> None:
    world.kubectl("apply", "-f", "-", given=world.manifest("typo", more="timeot_ms: 7"))
    reason = world.await_state("typo", "Running")
    assert "timeot_ms is not an attribute of a Mapping and is left out; did you mean timeout_ms?" in reason


def test_a_conflict_names_the_owner_and_a_mended_mapping_runs(world: World) -> None:
    for namespace in ("owner", "rival"):
        world.kubectl("create", "namespace", namespace)
    world.kubectl("apply", "-f", "-", given=world.manifest("claimed", namespace="owner"))
    world.await_state("claimed", "Running", namespace="owner")
    # Should both be made in one second, the one whose name comes first is the elder.
    world.kubectl("apply", "-f", "-", given=world.manifest("claimed", namespace="rival"))
    reason = world.await_state("claimed", "Inactive", namespace="rival")
    for condition in ("Conflicted", "Accepted=false", "Programmed=false", "Ready=false"):
        world.kubectl("wait", "-n", "rival", f"--for=condition={condition}", "--timeout=20s", "mapping/claimed")
    assert "belong to a mapping of namespace owner, which was there first" in reason
    mended = world.manifest("claimed", namespace="rival").replace("prefix: /claimed/", "prefix: /mended/")
    world.kubectl("apply", "-f", "-", given=mended)
    assert world.await_state("claimed", "Running", namespace="rival") == ""
    assert '"observedGeneration": 2' in json.dumps(world.status("claimed", namespace="rival"))
    assert world.request("/mended/").status == 200


def test_a_status_is_written_once_and_compiles_nothing(world: World) -> None:
    world.kubectl("apply", "-f", "-", given=world.manifest("quiet"))
    world.await_state("quiet", "Running")
    version = world.client.get(MAPPING, "quiet")["metadata"]["resourceVersion"]
    source = world.read(f"sources/Mapping/default/quiet?resource_version={version}&wait=20")
    # The version that the status made is known to be served, though nothing was compiled for it.
    assert (source["resource_version"], source["state"]) == (version, "serving")
    generation = world.read("routes")["generation"]
    for number in range(5):
        world.kubectl("label", "mapping", "quiet", f"number={number}", "--overwrite")
    version = world.client.get(MAPPING, "quiet")["metadata"]["resourceVersion"]
    assert world.read(f"sources/Mapping/default/quiet?resource_version={version}&wait=20")["state"] == "serving"
    assert world.read("routes")["generation"] == generation
    # Other mappings come, and each gets its status; this one keeps what it has.
    for number in range(3):
        world.kubectl("apply", "-f", "-", given=world.manifest(f"other-{number}"))
        world.await_state(f"other-{number}", "Running")
    assert world.client.get(MAPPING, "quiet")["metadata"]["resourceVersion"] == version


def test_another_gateways_mapping_is_left_alone(world: World) -> None:
    world.kubectl("apply", "-f", "-", given=world.manifest("theirs", more="ambassador_id: [inner]"))
    world.kubectl("apply", "-f", "-", given=world.manifest("ours"))
    world.await_state("ours", "Running")
    assert world.status("theirs") == {}
    problems = world.read("sources/Mapping/default/theirs")["problems"]
    assert "other-gateway" in json.dumps(problems)


def test_a_status_that_somebody_else_wrote_is_mended(world: World) -> None:
    world.kubectl("apply", "-f", "-", given=world.manifest("touched"))
    world.await_state("touched", "Running")
    world.client.patch_status(MAPPING, "touched", {"status": {"state": "Inactive", "reason": "nonsense"}})
    assert world.await_state("touched", "Running") == ""


def test_whose_a_condition_is_shows_in_the_managed_fields(world: World) -> None:
    world.kubectl("apply", "-f", "-", given=world.manifest("owned"))
    world.await_state("owned", "Running")
    theirs = {"type": "Reviewed", "status": "True", "reason": "Ann", "message": "", "lastTransitionTime": STAMP}
    patch = {"metadata": {"name": "owned"}, "status": {"conditions": [theirs]}}
    applied = json.dumps({"apiVersion": MAPPING.api_version, "kind": "Mapping", **patch})
    command = ("apply", "--server-side", "--subresource=status", "--field-manager=ann", "-f", "-")
    world.kubectl(*command, given=applied)
    # The spec is another, and so what is said of it is written anew; what somebody else says stays.
    world.kubectl("apply", "-f", "-", given=world.manifest("owned", more="timeout_ms: 7"))
    until(lambda: '"observedGeneration": 2' in json.dumps(world.status("owned")))
    assert theirs in json.loads(json.dumps(world.status("owned")["conditions"]))
    fields = json.loads(world.kubectl("get", "mapping", "owned", "-o", "json", "--show-managed-fields"))
    owners = {(each["manager"], each.get("subresource")) for each in fields["metadata"]["managedFields"]}
    assert {("kfambassador", "status"), ("ann", "status")} <= owners


def test_what_only_envoy_refuses_is_told_in_its_words(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # Everything Envoy is known to refuse is found beforehand; blind our own checks to meet its refusal.
    monkeypatch.setattr(compiling, "check_mapping", lambda *_: ())
    poison = world.manifest("poison").replace("prefix: /poison/", "prefix: '/poison/['").replace("_exact", "_regex")
    world.kubectl("apply", "-f", "-", given=poison)
    assert "Envoy refuses it: missing ]: [" in world.await_state("poison", "Inactive")
    for condition in ("Quarantined", "Accepted=false", "Conflicted=false"):
        world.kubectl("wait", f"--for=condition={condition}", "--timeout=20s", "mapping/poison")
    world.kubectl("delete", "mapping", "poison")


def test_gateway_wide_kinds_are_followed_as_custom_resources(world: World) -> None:
    module = """
apiVersion: getambassador.io/v2
kind: Module
metadata: {name: ambassador}
spec: {config: {cluster_request_timeout_ms: 4321, clustr_request_timeout_ms: 1}}
"""
    world.kubectl("apply", "-f", "-", given=module)
    until(lambda: "did you mean cluster_request_timeout_ms?" in json.dumps(world.read("problems")))
    world.kubectl("delete", "module", "ambassador")
    until(lambda: "did you mean cluster_request_timeout_ms?" not in json.dumps(world.read("problems")))


def test_the_shipped_definitions_are_applied_over_those_of_the_laptop(world: World) -> None:
    told = world.kubectl("apply", "--server-side", "-f", str(Path(__file__).parents[2] / "deploy" / "crds.yaml"))
    assert told.count("serverside-applied") == len(told.splitlines())
    world.kubectl("apply", "-f", "-", given=world.manifest("after"))
    world.await_state("after", "Running")


def test_a_laptop_that_is_started_again_has_its_mappings_and_definitions(tmp_path: Path, model: ModelServer) -> None:
    for _ in range(2):
        with LocalStack(state=tmp_path / "state") as stack, client_of(stack.endpoint) as client:
            mapping = {
                "apiVersion": "getambassador.io/v2",
                "kind": "Mapping",
                "metadata": {"name": "kept", "namespace": "default"},
                "spec": {"prefix": "/kept/", "rewrite": "/v1/models/", "service": f"127.0.0.1:{model.port}"},
            }
            client.apply(mapping)
            until(lambda: client.get(MAPPING, "kept").get("status", {}).get("state") == "Running")
