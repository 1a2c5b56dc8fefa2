"""What a KServe InferenceService tells of where its model is and how it is spoken to. Pure.

How KServe deploys decides what is asked:

- **raw deployment** (``RawDeployment``, later ``Standard``): a plain Service ``NAME-predictor`` before the pods, whose
  first port is 80; ``NAME-predictor-default`` where an older KServe made it, which KServe itself looks for first.
- **serverless** (``Serverless``, later ``Knative``): the Service of that name leads to Knative's local gateway, which
  finds the model by the Host header; without the right one it answers 404.
- **ModelMesh**: one Service ``modelmesh-serving`` for all models of a namespace, which speaks V2 on port 8008.

With a transformer, ``NAME-transformer`` takes the requests and asks the predictor itself.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from kfambassador.resources.fields import as_object, as_objects, as_text, as_texts

#: The Service that speaks for every model of a namespace in ModelMesh, and its REST port.
MODEL_MESH_SERVICE: Final = "modelmesh-serving"
MODEL_MESH_PORT: Final = 8008
#: The port of the Services KServe makes.
SERVICE_PORT: Final = 80

_MODE_ANNOTATION: Final = "serving.kserve.io/deploymentMode"
_V1: Final = "v1"
_V2: Final = "v2"
#: Model formats, and serving runtimes that KServe brings, which speak V2 when nothing is said (KServe, defaulting).
_FORMATS_OF_V2: Final = frozenset({"triton", "onnx", "huggingface"})
_RUNTIMES_OF_V2: Final = frozenset({"kserve-mlserver", "kserve-tritonserver"})
#: How a predictor was written before ``model`` was there: its format is the field.
_FORMATS: Final = (
    *("sklearn", "tensorflow", "xgboost", "pytorch", "triton"),
    *("onnx", "huggingface", "pmml", "lightgbm", "paddle"),
)
_NAME_VARIABLE: Final = "MLSERVER_MODEL_NAME"
_NAME_ARGUMENTS: Final = ("--model_name", "--model-name")
_PROTOCOL_VARIABLE: Final = "PROTOCOL"


class Mode(StrEnum):
    """How KServe deploys a model."""

    RAW = "raw deployment"
    SERVERLESS = "serverless"
    MODEL_MESH = "ModelMesh"


_MODES: Final = {
    "RawDeployment": Mode.RAW,
    "Standard": Mode.RAW,
    "Serverless": Mode.SERVERLESS,
    "Knative": Mode.SERVERLESS,
    "ModelMesh": Mode.MODEL_MESH,
}


def find_mode(manifest: Dict[str, object], service: Dict[str, object] | None) -> Mode:
    """Find how a model is deployed.

    Its status says it first, then its annotation. Otherwise it is the cluster's default, which tenants cannot read:
    then the Service shows it, since Knative's has no selector.

    Args:
        manifest: The InferenceService.
        service: The Service before it, if there is one yet.

    Example:
        >>> find_mode({"metadata": {"annotations": {"serving.kserve.io/deploymentMode": "RawDeployment"}}}, None).value
        'raw deployment'
        >>> find_mode({}, {"spec": {"type": "ExternalName"}}).value
        'serverless'
    """
    annotations = as_object(as_object(manifest.get("metadata")).get("annotations"))
    for said in (as_object(manifest.get("status")).get("deploymentMode"), annotations.get(_MODE_ANNOTATION)):
        if mode := _MODES.get(as_text(said)):
            return mode
    if service is None:
        # Revisions are Knative's.
        return Mode.SERVERLESS if _component(manifest).get("latestCreatedRevision") else Mode.RAW
    return Mode.RAW if as_object(as_object(service.get("spec")).get("selector")) else Mode.SERVERLESS


def list_service_names(manifest: Dict[str, object]) -> tuple[str, ...]:
    """List the Services that may stand before a model; the first that is there does.

    Example:
        >>> list_service_names({"metadata": {"name": "iris"}, "spec": {"predictor": {}}})
        ('iris-predictor-default', 'iris-predictor')
    """
    name = f"{as_text(as_object(manifest.get('metadata')).get('name'))}-{_entry(manifest)}"
    return f"{name}-default", name


def find_host(manifest: Dict[str, object], service: str) -> str:
    """Find by which Host header Knative's gateway knows a model inside the cluster.

    Args:
        manifest: The InferenceService.
        service: The name of the Service before it.

    Example:
        >>> find_host({"metadata": {"name": "iris", "namespace": "team"}}, "iris-predictor")
        'iris-predictor.team.svc.cluster.local'
    """
    address = as_text(as_object(_component(manifest).get("address")).get("url"))
    namespace = as_text(as_object(manifest.get("metadata")).get("namespace"))
    return urlsplit(address).hostname or f"{service}.{namespace}.svc.cluster.local"


def find_protocol(manifest: Dict[str, object], runtime: Dict[str, object] | None) -> str:
    """Find what a model speaks: ``v1``, ``v2``, ``grpc-v1`` or ``grpc-v2``.

    Args:
        manifest: The InferenceService.
        runtime: Its ServingRuntime, where it names one that may be read.

    Example:
        >>> find_protocol({"spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}}}, None)
        'v1'
        >>> find_protocol({"spec": {"predictor": {"triton": {}}}}, None)
        'v2'
    """
    part = _serving_part(manifest)
    said = as_text(part.get("protocolVersion")) or _find_variable(manifest, _PROTOCOL_VARIABLE)
    if said:
        return said
    offered = as_texts(as_object((runtime or {}).get("spec")).get("protocolVersions"))
    if offered:
        # What both we and the runtime know, in its own order; gRPC only where there is nothing else.
        return next((protocol for protocol in offered if protocol in {_V1, _V2}), offered[0])
    of_v2 = _format(manifest) in _FORMATS_OF_V2 or find_runtime(manifest) in _RUNTIMES_OF_V2
    return _V2 if of_v2 else _V1


def find_runtime(manifest: Dict[str, object]) -> str:
    """The ServingRuntime that an InferenceService names; "" when KServe is to choose."""
    return as_text(_serving_part(manifest).get("runtime"))


def find_model_name(manifest: Dict[str, object]) -> str:
    """Find what a server calls its model: what it is told, else the name of the InferenceService (KServe).

    Example:
        >>> container = {"args": ["--model_name=flowers"]}
        >>> find_model_name({"metadata": {"name": "iris"}, "spec": {"predictor": {"containers": [container]}}})
        'flowers'
    """
    told = (_find_variable(manifest, _NAME_VARIABLE), *_list_named(manifest))
    # KServe fills in templates, and of names only its own.
    plain = next((name for name in told if name and "{{" not in name), "")
    return plain or as_text(as_object(manifest.get("metadata")).get("name"))


def tell_readiness(manifest: Dict[str, object]) -> str:
    """Say why KServe does not call a model ready; "" when it does.

    Example:
        >>> tell_readiness({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
        ''
        >>> tell_readiness({})
        'KServe has said nothing of it yet'
    """
    conditions = as_objects(as_object(manifest.get("status")).get("conditions"))
    ready = next((each for each in conditions if each.get("type") == "Ready"), None)
    if ready is None:
        return "KServe has said nothing of it yet"
    if ready.get("status") == "True":
        return ""
    parts = (ready.get("reason"), ready.get("message"))
    said = ": ".join(part for part in map(as_text, parts) if part) or "no reason is given"
    return f"KServe says it is not ready: {said}"


def _spec(manifest: Dict[str, object]) -> Dict[str, object]:
    return as_object(manifest.get("spec"))


def _entry(manifest: Dict[str, object]) -> str:
    """Which component takes the requests."""
    return "transformer" if _spec(manifest).get("transformer") else "predictor"


def _component(manifest: Dict[str, object]) -> Dict[str, object]:
    components = as_object(as_object(manifest.get("status")).get("components"))
    return as_object(components.get(_entry(manifest)))


def _format(manifest: Dict[str, object]) -> str:
    predictor = as_object(_spec(manifest).get("predictor"))
    said = as_object(as_object(predictor.get("model")).get("modelFormat")).get("name")
    return as_text(said) or next((name for name in _FORMATS if name in predictor), "")


def _serving_part(manifest: Dict[str, object]) -> Dict[str, object]:
    """What says how the predictor serves: ``model``, or the field of its format."""
    predictor = as_object(_spec(manifest).get("predictor"))
    return as_object(predictor.get("model")) or as_object(predictor.get(_format(manifest)))


def _containers(manifest: Dict[str, object]) -> list[Dict[str, object]]:
    entry = as_object(_spec(manifest).get(_entry(manifest)))
    predictor = as_object(_spec(manifest).get("predictor"))
    own = as_objects(entry.get("containers"))[:1]
    return [*own, _serving_part(manifest), *as_objects(predictor.get("containers"))[:1]]


def _find_variable(manifest: Dict[str, object], name: str) -> str:
    """The value of an environment variable of the first container that has it; "" when none has."""
    variables = (variable for part in _containers(manifest) for variable in as_objects(part.get("env")))
    return next((as_text(variable.get("value")) for variable in variables if variable.get("name") == name), "")


def _list_named(manifest: Dict[str, object]) -> Iterator[str]:
    """The model names that containers get as an argument, in one word or two."""
    for part in _containers(manifest):
        words = as_texts(part.get("args"))
        for word, following in zip(words, [*words, ""][1:], strict=True):
            argument, equals, value = word.partition("=")
            if argument in _NAME_ARGUMENTS:
                yield value if equals else following
