"""Bodies: what callers send, read with care; and YAML for those who want it. The one door to YAML."""

import json
import math
from collections.abc import Callable
from typing import Final

import yaml

from kfambassador.local.kube.documents.document import MAX_DEPTH, Document, Json, is_deeper_than, name_type
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.requests.twins import Pairs, list_twins
from kfambassador.local.kube.schemas.protobuf import BadProtobuf, read_protobuf

#: The most bytes of a body, as in Kubernetes.
MAX_BODY: Final = 3 * 1024 * 1024

JSON_TYPE: Final = "application/json"
YAML_TYPE: Final = "application/yaml"
PROTOBUF_TYPE: Final = "application/vnd.kubernetes.protobuf"
_YAML_BODY: Final = 256 * 1024  # YAML is read far more slowly than JSON, and written by people
_BASE: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_BASE):  # type: ignore[misc, valid-type]  # which of the two loaders is known only at run time
    """YAML as JSON has it: a date is a text."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in _BASE.yaml_implicit_resolvers.items()
    }


def read_object(body: bytes, content_type: str, complaints: list[str] | None = None) -> Document:
    """Read an object.

    Args:
        body: The text.
        content_type: JSON, YAML or Kubernetes' protobuf; "" is JSON.
        complaints: Takes up what is odd in the text, though it can be read: fields that stand in it twice.

    Raises:
        StatusError: When the text cannot be read, or is no object.
    """
    if content_type not in _READERS:
        raise status.unsupported_media_type(content_type, (JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE))
    value = _READERS[content_type](body, complaints if complaints is not None else [])
    if not isinstance(value, dict):
        raise status.bad_request(f"the body is not an object but {name_type(value)}")
    return value


def read_json(body: bytes, complaints: list[str] | None = None) -> Json:
    """Read JSON. Of a field that stands twice in an object the last one counts.

    Args:
        body: The text.
        complaints: Takes up the fields that stand twice.

    Raises:
        StatusError: When it is malformed or nests too deep.
    """
    pairs = Pairs()
    try:
        value: Json = json.loads(
            body, parse_float=_read_float, parse_constant=_refuse, object_pairs_hook=pairs.read_object
        )
    except (ValueError, RecursionError) as error:
        raise status.bad_request(f"couldn't read the body as JSON: {_explain(error)}") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and is_deeper_than(value, MAX_DEPTH):
        raise status.bad_request(f"the body nests deeper than {MAX_DEPTH} levels")
    if pairs.has_twins and complaints is not None:
        complaints += [f'duplicate field "{path}"' for path in list_twins(body)]
    return value


def read_yaml(body: bytes, complaints: list[str] | None = None) -> Json:
    """Read YAML, of which JSON is a part. Of a field that stands twice in an object the last one counts.

    Args:
        body: The text.
        complaints: Takes up the fields that stand twice, each with its line.

    Raises:
        StatusError: When it is malformed, too large, nests too deep or uses aliases.
    """
    if body.lstrip()[:1] == b"{":
        return read_json(body, complaints)
    if len(body) > _YAML_BODY:
        raise status.too_large(_YAML_BODY)
    try:
        twins = _scan_yaml(body)
        loaded = yaml.load(body, Loader=_Loader)  # noqa: S506 - a safe loader, with fewer types
        value = read_json(json.dumps(loaded).encode())
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise status.bad_request(f"error converting YAML to JSON: {error}") from error
    if complaints is not None:
        complaints += twins
    return value


def write_yaml(body: bytes) -> bytes:
    """Write JSON as YAML."""
    written: bytes = yaml.dump(json.loads(body), Dumper=_DUMPER, encoding="utf-8", allow_unicode=True)
    return written


def _read_protobuf(body: bytes, _complaints: list[str]) -> Json:
    try:
        return read_protobuf(body)
    except BadProtobuf as error:
        raise status.unsupported_media_type(f"{PROTOBUF_TYPE}: {error}", (JSON_TYPE, YAML_TYPE)) from error


_READERS: Final[dict[str, Callable[[bytes, list[str]], Json]]] = {
    "": read_json,
    JSON_TYPE: read_json,
    YAML_TYPE: read_yaml,
    PROTOBUF_TYPE: _read_protobuf,
}


def _scan_yaml(body: bytes) -> list[str]:
    # The events are looked at before anything is built: deep nesting crashes the loader, aliases can grow without end.
    twins: list[str] = []
    open_nodes: list[_Node] = []
    for event in yaml.parse(body, Loader=_BASE):
        if isinstance(event, yaml.AliasEvent):
            raise status.bad_request("YAML aliases are not accepted")
        if isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
        elif isinstance(event, yaml.NodeEvent):
            key = open_nodes[-1].take(event) if open_nodes else ""
            if key:
                line = event.start_mark.line + 1 if event.start_mark else 0
                twins.append(f'line {line}: key "{key}" already set in map')
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append(_Node(is_mapping=isinstance(event, yaml.MappingStartEvent)))
        if len(open_nodes) > MAX_DEPTH:
            raise status.bad_request(f"the body nests deeper than {MAX_DEPTH} levels")
    return twins


class _Node:
    """A YAML mapping or sequence that is being read."""

    def __init__(self, *, is_mapping: bool) -> None:
        self._is_mapping = is_mapping
        self._keys: set[str] = set()
        self._is_at_key = True

    def take(self, event: yaml.NodeEvent) -> str:
        """Take what stands next in it; the answer is a key that stands there for the second time, or ""."""
        is_key, self._is_at_key = self._is_mapping and self._is_at_key, not self._is_at_key
        if not is_key or not isinstance(event, yaml.ScalarEvent):
            return ""
        is_twin = event.value in self._keys
        self._keys.add(event.value)
        return str(event.value) if is_twin else ""


def _read_float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse(text)


def _refuse(text: str) -> float:
    message = f"the number {text} has no place in JSON"
    raise ValueError(message)


def _explain(error: Exception) -> str:
    return "it nests too deep" if isinstance(error, RecursionError) else str(error)
