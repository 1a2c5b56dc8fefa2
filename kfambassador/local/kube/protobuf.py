"""Protobuf: what kubectl's ``create`` and other Go clients send for the common built-in kinds. Pure.

Only the wire format is read, by tables of field numbers; the API answers in JSON, which all of them accept.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kfambassador.local.kube.documents import Document, Json

#: What every Kubernetes protobuf body begins with.
_MAGIC: Final = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

_Raw = int | bytes


class BadProtobuf(ValueError):
    """A body that cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: its name in JSON, how it is read, and whether it repeats."""

    name: str
    read: Callable[[_Raw], Json]
    is_list: bool = False


Message = Mapping[int, Field]


def read_protobuf(body: bytes) -> Document:
    """Read an object.

    Raises:
        BadProtobuf: When the body is malformed, or of a kind that is not read in protobuf.
    """
    if not body.startswith(_MAGIC):
        raise BadProtobuf("the body does not begin as Kubernetes' protobuf does")
    envelope = dict(_split(body[len(_MAGIC) :]))
    identity = _read_message(_bytes(envelope.get(1, b"")), _IDENTITY)
    kind = identity.get("kind", "")
    if kind not in _KINDS:
        message = f"objects of kind {kind!r} are read as JSON or YAML only, not as protobuf"
        raise BadProtobuf(message)
    return identity | _read_message(_bytes(envelope.get(2, b"")), _KINDS[kind])


def _read_message(body: bytes, message: Message) -> Document:
    document: Document = {}
    for number, raw in _split(body):
        field = message.get(number)
        if field is None:
            continue
        value = field.read(raw)
        if isinstance(known := document.get(field.name), dict) and isinstance(value, dict):
            document[field.name] = known | value
        elif field.is_list:
            document.setdefault(field.name, []).append(value)
        elif value not in ("", 0, False, {}):  # an empty scalar is an absent one
            document[field.name] = value
    return document


def _split(body: bytes) -> Iterator[tuple[int, _Raw]]:
    position = 0
    while position < len(body):
        key, position = _read_varint(body, position)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, position = _read_varint(body, position)
            yield number, value
            continue
        if wire == _BYTES:
            length, position = _read_varint(body, position)
        elif wire in {_FIXED32, _FIXED64}:
            length = 4 if wire == _FIXED32 else 8
        else:
            message = f"the wire type {wire} does not exist"
            raise BadProtobuf(message)
        if position + length > len(body):
            raise BadProtobuf("the body ends in the middle of a field")
        yield number, body[position : position + length]
        position += length


def _read_varint(body: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(body):
            break
        byte = body[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says there is more
            return value, position
    raise BadProtobuf("a number does not end")


def _bytes(raw: _Raw) -> bytes:
    if isinstance(raw, int):
        raise BadProtobuf("a number stands where a text belongs")
    return raw


def _text(raw: _Raw) -> Json:
    return _bytes(raw).decode()


def _base64(raw: _Raw) -> Json:
    return base64.b64encode(_bytes(raw)).decode()


def _number(raw: _Raw) -> Json:
    if not isinstance(raw, int):
        raise BadProtobuf("a text stands where a number belongs")
    return raw if raw < 1 << 63 else raw - (1 << 64)


def _flag(raw: _Raw) -> Json:
    return bool(_number(raw))


def _port(raw: _Raw) -> Json:
    # Its type, and the value as a number and as a text, of which the type says which one counts.
    value = dict(_split(_bytes(raw)))
    return _text(value.get(3, b"")) if value.get(1) else _number(value.get(2, 0))


def _of(message: Message) -> Callable[[_Raw], Json]:
    return lambda raw: _read_message(_bytes(raw), message)


def _entry(read: Callable[[_Raw], Json]) -> Callable[[_Raw], Json]:
    def read_entry(raw: _Raw) -> Json:
        found = dict(_split(_bytes(raw)))
        return {_bytes(found.get(1, b"")).decode(): read(found.get(2, b""))}

    return read_entry


def _message(**fields: "tuple[int, Callable[[_Raw], Json]] | tuple[int, Callable[[_Raw], Json], bool]") -> Message:
    return {number: Field(name, read, *more) for name, (number, read, *more) in fields.items()}


_IDENTITY: Final = _message(apiVersion=(1, _text), kind=(2, _text))
_METADATA: Final = _message(
    name=(1, _text),
    generateName=(2, _text),
    namespace=(3, _text),
    uid=(5, _text),
    resourceVersion=(6, _text),
    labels=(11, _entry(_text)),
    annotations=(12, _entry(_text)),
    finalizers=(14, _text, True),
)
_SERVICE_PORT: Final = _message(
    name=(1, _text),
    protocol=(2, _text),
    port=(3, _number),
    targetPort=(4, _port),
    nodePort=(5, _number),
    appProtocol=(6, _text),
)
_SERVICE: Final = _message(
    ports=(1, _of(_SERVICE_PORT), True),
    selector=(2, _entry(_text)),
    clusterIP=(3, _text),
    type=(4, _text),
    externalIPs=(5, _text, True),
    sessionAffinity=(7, _text),
    loadBalancerIP=(8, _text),
    externalName=(10, _text),
    externalTrafficPolicy=(11, _text),
    publishNotReadyAddresses=(13, _flag),
)
_RULE: Final = _message(
    verbs=(1, _text, True),
    apiGroups=(2, _text, True),
    resources=(3, _text, True),
    resourceNames=(4, _text, True),
    nonResourceURLs=(5, _text, True),
)
_REQUIREMENT: Final = _message(key=(1, _text), operator=(2, _text), values=(3, _text, True))
_SELECTOR: Final = _message(matchLabels=(1, _entry(_text)), matchExpressions=(2, _of(_REQUIREMENT), True))
_BINDING: Final = _message(
    metadata=(1, _of(_METADATA)),
    subjects=(
        2,
        _of(_message(kind=(1, _text), apiGroup=(2, _text), name=(3, _text), namespace=(4, _text))),
        True,
    ),
    roleRef=(3, _of(_message(apiGroup=(1, _text), kind=(2, _text), name=(3, _text)))),
)
_BOUND: Final = _message(kind=(1, _text), apiVersion=(2, _text), name=(3, _text), uid=(4, _text))
_RESOURCE: Final = _message(
    namespace=(1, _text),
    verb=(2, _text),
    group=(3, _text),
    version=(4, _text),
    resource=(5, _text),
    subresource=(6, _text),
    name=(7, _text),
)
_ACCESS: Final = {
    "resourceAttributes": (1, _of(_RESOURCE)),
    "nonResourceAttributes": (2, _of(_message(path=(1, _text), verb=(2, _text)))),
}
_ACCESS_REVIEW: Final = _message(
    metadata=(1, _of(_METADATA)),
    spec=(2, _of(_message(**_ACCESS, user=(3, _text), groups=(4, _text, True), uid=(6, _text)))),
)
_PRECONDITIONS: Final = _message(uid=(1, _text), resourceVersion=(2, _text))
_KINDS: Final[Mapping[str, Message]] = {
    "Namespace": _message(metadata=(1, _of(_METADATA))),
    "Service": _message(metadata=(1, _of(_METADATA)), spec=(2, _of(_SERVICE))),
    "ConfigMap": _message(
        metadata=(1, _of(_METADATA)), data=(2, _entry(_text)), binaryData=(3, _entry(_base64)), immutable=(4, _flag)
    ),
    "Secret": _message(
        metadata=(1, _of(_METADATA)),
        data=(2, _entry(_base64)),
        type=(3, _text),
        stringData=(4, _entry(_text)),
        immutable=(5, _flag),
    ),
    "ServiceAccount": _message(metadata=(1, _of(_METADATA)), automountServiceAccountToken=(4, _flag)),
    "DeleteOptions": _message(
        preconditions=(2, _of(_PRECONDITIONS)), propagationPolicy=(4, _text), dryRun=(5, _text, True)
    ),
    "Role": _message(metadata=(1, _of(_METADATA)), rules=(2, _of(_RULE), True)),
    "ClusterRole": _message(
        metadata=(1, _of(_METADATA)),
        rules=(2, _of(_RULE), True),
        aggregationRule=(3, _of(_message(clusterRoleSelectors=(1, _of(_SELECTOR), True)))),
    ),
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "TokenRequest": _message(
        metadata=(1, _of(_METADATA)),
        spec=(
            2,
            _of(_message(audiences=(1, _text, True), boundObjectRef=(3, _of(_BOUND)), expirationSeconds=(4, _number))),
        ),
    ),
    "TokenReview": _message(
        metadata=(1, _of(_METADATA)), spec=(2, _of(_message(token=(1, _text), audiences=(2, _text, True))))
    ),
    "SelfSubjectReview": _message(metadata=(1, _of(_METADATA))),
    "SelfSubjectAccessReview": _message(metadata=(1, _of(_METADATA)), spec=(2, _of(_message(**_ACCESS)))),
    "SelfSubjectRulesReview": _message(metadata=(1, _of(_METADATA)), spec=(2, _of(_message(namespace=(1, _text))))),
    "SubjectAccessReview": _ACCESS_REVIEW,
    "LocalSubjectAccessReview": _ACCESS_REVIEW,
}
