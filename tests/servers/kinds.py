"""The model servers that others wrote: how each is started, and what it is asked without any gateway."""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import kfambassador as kfa
from tests.ports import free_port

PROGRAMS: Final = Path(__file__).parent / "programs"
IRIS: Final = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]


@dataclass(frozen=True)
class Start:
    """How one server is started.

    Attributes:
        command: The program and its arguments.
        variables: Environment variables it needs.
        grpc_port: The port of its gRPC API; None where it has none.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    grpc_port: int | None = None


@dataclass(frozen=True)
class Site:
    """Where one server is to run.

    Attributes:
        programs: Its environment's programs.
        models: The directory its models were written to.
        directory: Its own directory.
        port: Where it is to listen.
        model: Which of two models it has, 1 or 2.
    """

    programs: Path
    models: Path
    directory: Path
    port: int
    model: int


@dataclass(frozen=True)
class Kind:
    """One kind of server.

    Attributes:
        environment: The environment it lives in.
        train: The program that writes both of its models to a directory; "" where there is nothing to write.
        prepare: Writes a server's settings, and tells how it is started.
        publish: What it is published as, given its gRPC port.
        inputs: What it is asked.
        answers: What each of its two models answers to that.
        body: The same as it is asked without us.
        path: Where it is asked for predictions.
        health: Where it tells that it is well.
        mistaken: A description that is not true of it.
        told: What is said of that.
    """

    environment: str
    train: str
    prepare: Callable[[Site], Start]
    publish: Callable[[int | None], kfa.ModelServer]
    inputs: object
    answers: tuple[object, object]
    body: object
    path: str
    health: str
    mistaken: kfa.ModelServer
    told: str


def train(kind: Kind, programs: Path, models: Path) -> None:
    """Write the models of a kind of server.

    Raises:
        AssertionError: The program failed; its last words are told.
    """
    if kind.train:
        command = [str(programs / "python"), str(PROGRAMS / kind.train), str(models)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]


def prepare_kserve(site: Site) -> Start:
    """A model of ours in KServe's server."""
    program = str(PROGRAMS / "kserve_model.py")
    return Start((str(site.programs / "python"), program, "iris", str(site.port), str(site.model)))


def prepare_mlserver(site: Site) -> Start:
    """A logistic regression in MLServer."""
    grpc_port = free_port()
    settings = {"host": "127.0.0.1", "http_port": site.port, "grpc_port": grpc_port, "metrics_endpoint": None}
    (site.directory / "settings.json").write_text(json.dumps({**settings, "parallel_workers": 0, "debug": False}))
    described = {
        "name": "iris",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(site.models / f"{site.model}.joblib"), "version": str(site.model)},
        "inputs": [{"name": "measures", "datatype": "FP64", "shape": [-1, 4]}],
        "outputs": [{"name": "predict", "datatype": "INT64", "shape": [-1, 1]}],
    }
    (site.directory / "model-settings.json").write_text(json.dumps(described))
    return Start((str(site.programs / "mlserver"), "start", "."), grpc_port=grpc_port)


def prepare_mlflow(site: Site) -> Start:
    """A model of ours in MLflow's scoring server."""
    told = ("--model-uri", str(site.models / str(site.model)), "--host", "127.0.0.1", "--port", str(site.port))
    command = (str(site.programs / "python"), "-m", "mlflow", "models", "serve", "--env-manager", "local", *told)
    # It starts other programs of its environment by their names alone.
    return Start(command, {"PATH": f"{site.programs}:/usr/bin:/bin"})


def prepare_bentoml(site: Site) -> Start:
    """A service of ours in BentoML."""
    told = ("--working-dir", str(PROGRAMS), "--host", "127.0.0.1", "--port", str(site.port))
    command = (str(site.programs / "python"), "-m", "bentoml", "serve", "bento_service:Factor", *told)
    variables = {"FACTOR": str(site.model), "BENTOML_HOME": str(site.directory), "BENTOML_DO_NOT_TRACK": "true"}
    return Start(command, variables)


KINDS: Final = {
    "kserve": Kind(
        environment="kserve",
        train="",
        prepare=prepare_kserve,
        publish=lambda _port: kfa.KServeV1(model="iris"),
        inputs=[[1.0, 2.0], [3.0, 4.0]],
        answers=([3.0, 7.0], [6.0, 14.0]),
        body={"instances": [[1.0, 2.0], [3.0, 4.0]]},
        path="/v1/models/iris:predict",
        health="/v1/models/iris",
        mistaken=kfa.KServeV1(model="nobody"),
        told="when asked for model 'nobody'. Is it loaded, and is that its name there? If not, say KServeV1(model=...)",
    ),
    "mlserver": Kind(
        environment="mlserver",
        train="train_iris.py",
        prepare=prepare_mlserver,
        publish=lambda port: kfa.KServeV2(model="iris", grpc_port=port),
        inputs=IRIS,
        answers=([[10], [12]], [[20], [22]]),
        body={
            "inputs": [{"name": "measures", "shape": [2, 4], "datatype": "FP64", "data": [*IRIS[0], *IRIS[1]]}],
        },
        path="/v2/models/iris/infer",
        health="/v2/models/iris/ready",
        mistaken=kfa.KServeV2(model="nobody"),
        told="when asked for model 'nobody'. Is it loaded, and is that its name there? If not, say KServeV2(model=...)",
    ),
    "mlflow": Kind(
        environment="mlflow",
        train="save_mlflow.py",
        prepare=prepare_mlflow,
        publish=lambda _port: kfa.MLflow(),
        inputs=[[1.0], [2.5]],
        answers=([1.0, 2.5], [2.0, 5.0]),
        body={"inputs": [[1.0], [2.5]]},
        path="/invocations",
        health="/ping",
        mistaken=kfa.KServeV1(model="iris"),
        told="answers 404 when asked for model 'iris'",
    ),
    "bentoml": Kind(
        environment="bentoml",
        train="",
        prepare=prepare_bentoml,
        publish=lambda _port: kfa.HTTPServer(
            paths={"predict": "/predict", "metadata": "/docs.json"}, health="/readyz", port=3000
        ),
        inputs={"rows": [[1.0, 2.0], [3.0, 4.0]]},
        answers=([3.0, 7.0], [6.0, 14.0]),
        body={"rows": [[1.0, 2.0], [3.0, 4.0]]},
        path="/predict",
        health="/readyz",
        mistaken=kfa.MLflow(),
        told="answers 404 to GET /ping: it has no model, or it is no scoring server of MLflow",
    ),
}
