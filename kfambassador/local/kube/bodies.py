"""Bodies: what callers send, read with care. The one door to YAML."""

import json
import math
from collections.abc import Callable
from typing import Final

import yaml

from kfambassador.local.kube import status
from kfambassador.local.kube.documents import MAX_DEPTH, Document, Json, is_deeper_than
from kfambassador.local.kube.protobuf import BadProtobuf, read_protobuf

#: The most bytes of a body, as in Kubernetes.
MAX_BODY: Final = 3 * 1024 * 1024

JSON_TYPE: Final = "application/json"
YAML_TYPE: Final = "application/yaml"
PROTOBUF_TYPE: Final = "application/vnd.kubernetes.protobuf"
_YAML_BODY: Final = 256 * 1024  # YAML is read far more slowly than JSON, and written by people
_BASE: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc, valid-type]  # which of the two loaders is known only at run time
    """YAML as JSON has it: a date is a text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }


def read_object(body: bytes, content_type: str) -> Document:
    """Read an object.

    Args:
        body: The text.
        content_type: JSON, YAML or Kubernetes' protobuf; "" is JSON.

    Raises:
        StatusError: When the text cannot be read, or is no object.
    """
    if content_type not in _READERS:
        raise status.unsupported_media_type(content_type, (JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE))
    value = _READERS[content_type](body)
    if not isinstance(value, dict):
        raise status.bad_request(f"the body is not an object but {type(value).__name__}")
    return value


def read_json(body: bytes) -> Json:
    """Read JSON.

    Raises:
        StatusError: When it is malformed or nests too deep.
    """
    try:
        value: Json = json.loads(body, parse_float=_read_float, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise status.bad_request(f"couldn't read the body as JSON: {_explain(error)}") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_deeper_than(value, MAX_DEPTH):
        raise status.bad_request(f"the body nests deeper than {MAX_DEPTH} levels")
    return value


def read_yaml(body: bytes) -> Json:
    """Read YAML, of which JSON is a part.

    Raises:
        StatusError: When it is malformed, too large, nests too deep or uses aliases.
    """
    if body.lstrip()[:1] == b"{":
        return read_json(body)
    if len(body) > _YAML_BODY:
        raise status.too_large(_YAML_BODY)
    try:
        _scan_yaml(body)
        loaded = yaml.load(body, Loader=_Loader)  # noqa: S506 - a safe loader, with fewer types
        return read_json(json.dumps(loaded).encode())
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise status.bad_request(f"error converting YAML to JSON: {error}") from error


def _read_protobuf(body: bytes) -> Json:
    try:
        return read_protobuf(body)
    except BadProtobuf as error:
        raise status.unsupported_media_type(f"{PROTOBUF_TYPE}: {error}", (JSON_TYPE, YAML_TYPE)) from error


_READERS: Final[dict[str, Callable[[bytes], Json]]] = {
    "": read_json,
    JSON_TYPE: read_json,
    YAML_TYPE: read_yaml,
    PROTOBUF_TYPE: _read_protobuf,
}


def _scan_yaml(body: bytes) -> None:
    # The events are looked at before anything is built: deep nesting crashes the loader, aliases can grow without end.
    depth = 0
    for event in yaml.parse(body, Loader=_BASE):
        if isinstance(event, yaml.AliasEvent):
            raise status.bad_request("YAML aliases are not accepted")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise status.bad_request(f"the body nests deeper than {MAX_DEPTH} levels")


def _read_float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _refuse(text: str) -> float:
    message = f"the number {text} has no place in JSON"
    raise ValueError(message)


def _explain(error: Exception) -> str:
    return "it nests too deep" if isinstance(error, RecursionError) else str(error)
