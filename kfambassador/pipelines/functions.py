"""The steps as kfp takes them: their text is what a container runs, so each holds its imports and names nothing else.

The signature is what the pipeline sees, and the docstring what the user interface shows. What is done is in ``steps``.
There must be no ``from __future__ import annotations`` here, and optional inputs must be spelled ``Optional``: kfp
reads annotations as they are.
"""

# kfp knows no other spelling, looks for outputs below Returns, and one of the steps is called a test.
# ruff: noqa: D417, PT028, UP006, UP035, UP045

from typing import Any, Dict, List, NamedTuple, Optional

from kfambassador.pipelines.extra import needing_kfp

with needing_kfp():
    from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Output


def publish_route(
    *,
    name: str,
    mapping: Output[Artifact],
    service: Optional[str] = None,
    server: Optional[str] = None,
    model: Optional[str] = None,
    attributes: Optional[Dict[str, Any]] = None,
    namespace: Optional[str] = None,
    timeout: Optional[float] = None,
    ttl: Optional[str] = None,
    take_over: bool = False,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("url", str), ("internal_url", str)]):  # type: ignore[valid-type]
    """Publish a model, and end when it answers through the gateway. Publishing it again changes what was published.

    Args:
        name: The name to publish by.
        service: Where it is: mnist:8501, deployment/mnist, inferenceservice/iris; its namesake when not said.
        server: Its kind: tfserving, kserve-v1, kserve-v2, torchserve, mlflow, seldon, openai or http.
        model: The model's name in the server, if another.
        attributes: What every mapping of it says, such as {"prefix": "/mnist/", "timeout_ms": 60000}.
        namespace: Where to publish; the namespace of the run when not said.
        timeout: Seconds to wait for an answer; 300 in a cluster and 10 on a laptop when not said.
        ttl: For how long it is served, such as 8h; for ever when not said.
        take_over: Replace what somebody else published by this name.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        url: Where it answers.
        internal_url: Where it answers inside the cluster.
        mapping: What was published, as YAML.
    """
    from kfambassador.pipelines.steps.publishing import publish
    from kfambassador.pipelines.steps.running import as_step

    with as_step():
        return publish(
            name, service=service, server=server, model=model, attributes=attributes, namespace=namespace,
            timeout=timeout, ttl=ttl, take_over=take_over, target=target, mapping_path=mapping.path,
        )  # fmt: skip


def test_route(
    *,
    name: str,
    metrics: Output[Metrics],
    report: Output[HTML],
    inputs: Optional[List[Any]] = None,
    body: Optional[Dict[str, Any]] = None,
    dataset: Optional[Input[Dataset]] = None,
    expected: Optional[List[Any]] = None,
    tolerance: float = 1e-6,
    expect: int = 200,
    p95_ms: Optional[float] = None,
    requests: int = 20,
    variant: Optional[str] = None,
    must_pass: bool = True,
    namespace: Optional[str] = None,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("passed", bool)]):  # type: ignore[valid-type]
    """Ask a published model through the gateway, and judge its answers. Fails, after its report, when it did not pass.

    Args:
        name: The name it is published by.
        inputs: What to ask for predictions of; a sample when nothing is said.
        body: A whole request in their place, sent as JSON.
        dataset: A file in their place: a JSON list of inputs, or an object with "inputs" and perhaps "expected".
        expected: The predictions that must come, one for each input.
        tolerance: By how much a number may differ from the expected one.
        expect: The status that must come.
        p95_ms: Milliseconds within which 95 of 100 answers must come; no limit when not said.
        requests: How many are sent, one after the other.
        variant: Ask this variant, such as canary; the split decides when not said.
        must_pass: Fail the step when the test did not pass; else only say so.
        namespace: Where it is published; the namespace of the run when not said.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        passed: Whether it did.
        metrics: How many requests, how many failed, how long they took.
        report: All of it, to read.
    """
    from kfambassador.pipelines.steps.running import as_step
    from kfambassador.pipelines.steps.testing import try_route

    with as_step():
        return try_route(
            name, inputs=inputs, body=body, dataset_path=dataset and dataset.path, expected=expected,
            tolerance=tolerance, expect=expect, p95_ms=p95_ms, requests=requests, variant=variant,
            must_pass=must_pass, namespace=namespace, target=target,
            log=metrics.log_metric, report_path=report.path,
        )  # fmt: skip


def shift_traffic(
    *,
    name: str,
    service: str,
    metrics: Output[Metrics],
    report: Output[HTML],
    steps: List[Any] = [10, 50, 100],  # noqa: B006 - kfp keeps it as the default
    every: str = "60s",
    error_rate: float = 0.01,
    p99_ms: Optional[float] = None,
    min_requests: int = 1,
    promote: bool = True,
    variant: str = "canary",
    server: Optional[str] = None,
    model: Optional[str] = None,
    run: Optional[str] = None,
    namespace: Optional[str] = None,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("promoted", bool)]):  # type: ignore[valid-type]
    """Give a canary more and more of a model's requests while it does well; take it back and fail when it does not.

    Fails, and changes nothing, where another canary has the name or another run is shifting this one.

    Args:
        name: The name the model is published by.
        service: Where the canary is, as for publish_route.
        steps: The canary's shares in percent, one after the other. From the last it goes to all: end with 100.
        every: How long each share is watched, such as 60s or 5m.
        error_rate: The largest part of its requests that may fail, from 0.0 to 1.0.
        p99_ms: Milliseconds within which 99 of 100 answers must come; no limit when not said.
        min_requests: How many requests it must have had in all to be trusted; a single one will do when not said.
        promote: Make it the stable server after the last step.
        variant: What to call it.
        server: What kind of server it is; the same as the model's when not said.
        model: The model's name in the server, if another.
        run: The run this is part of, which alone shifts the canary; kfp's own when not said.
        namespace: Where the model is published; the namespace of the run when not said.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        promoted: Whether it is the stable server now.
        metrics: What the canary did in all its steps.
        report: Each step, to read.
    """
    from kfambassador.pipelines.steps.running import as_step
    from kfambassador.pipelines.steps.shifting import shift

    with as_step():
        return shift(
            name, service, steps=steps, every=every, error_rate=error_rate, p99_ms=p99_ms, min_requests=min_requests,
            promote=promote, variant=variant, server=server, model=model, run=run, namespace=namespace, target=target,
            log=metrics.log_metric, report_path=report.path,
        )  # fmt: skip


def promote_route(
    *,
    name: str,
    service: str,
    variant: str = "canary",
    run: Optional[str] = None,
    namespace: Optional[str] = None,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("stable", str)]):  # type: ignore[valid-type]
    """Make the canary at a service the stable server; it takes all requests. Does nothing where it is that already.

    Args:
        name: The name the model is published by.
        service: Where the canary is, as it was said to shift_traffic: nothing else is ever promoted.
        variant: What it is called.
        run: The run this is part of; kfp's own when not said.
        namespace: Where the model is published; the namespace of the run when not said.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        stable: Where the stable server is now.
    """
    from kfambassador.pipelines.steps.running import as_step
    from kfambassador.pipelines.steps.withdrawing import promote

    with as_step():
        return promote(name, service, variant=variant, run=run, namespace=namespace, target=target)


def rollback_route(
    *,
    name: str,
    service: Optional[str] = None,
    variant: str = "canary",
    run: Optional[str] = None,
    namespace: Optional[str] = None,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("stable", str)]):  # type: ignore[valid-type]
    """Take this run's canary back, if there is one: all requests go to the stable server. It may always end a pipeline.

    Args:
        name: The name the model is published by.
        service: A server to take back whoever put it there, a run or a person, and even if it was promoted.
        variant: What the canary is called.
        run: The run this is part of, whose canary is taken back; kfp's own when not said.
        namespace: Where the model is published; the namespace of the run when not said.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        stable: Where the stable server is now; empty where the model is published no more.
    """
    from kfambassador.pipelines.steps.running import as_step
    from kfambassador.pipelines.steps.withdrawing import roll_back

    with as_step():
        return roll_back(name, service, variant=variant, run=run, namespace=namespace, target=target)


def delete_route(
    *,
    name: str,
    everybodys: bool = False,
    namespace: Optional[str] = None,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("deleted", bool)]):  # type: ignore[valid-type]
    """Take a model down, if it is not down already. It may always end a pipeline.

    Args:
        name: The name it is published by.
        everybodys: Take it down also where somebody else has published it, which is another ServiceAccount.
        namespace: Where it is published; the namespace of the run when not said.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        deleted: Whether there was something to take down.
    """
    from kfambassador.pipelines.steps.running import as_step
    from kfambassador.pipelines.steps.withdrawing import delete

    with as_step():
        return delete(name, everybodys=everybodys, namespace=namespace, target=target)


def list_routes(
    *,
    routes: Output[Artifact],
    report: Output[HTML],
    name: Optional[str] = None,
    namespace: Optional[str] = None,
    target: Optional[str] = None,
) -> NamedTuple("Outputs", [("number", int)]):  # type: ignore[valid-type]
    """List the routes that the gateway serves.

    Args:
        name: Only those of the model that is published by this name.
        namespace: Only those of this namespace; a model is looked for in that of the run when not said.
        target: Which gateway: local, in-cluster, a kubeconfig context; where the step runs when not said.

    Returns:
        number: How many there are.
        routes: The routes as JSON, in the order they are evaluated.
        report: The same, to read.
    """
    from kfambassador.pipelines.steps.listing import write_routes
    from kfambassador.pipelines.steps.running import as_step

    with as_step():
        return write_routes(name, namespace=namespace, target=target, routes_path=routes.path, report_path=report.path)
