"""Contents: what the API fills in and checks when a ConfigMap or a Secret is written. Pure.

What a Secret holds is never repeated in a fault.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from kfambassador.local.kube.documents.document import Document, metadata_of, without
from kfambassador.local.kube.documents.faults import Fault, FieldFault, list_new
from kfambassador.local.kube.kinds.kind import Admitted, Index

#: The most bytes a ConfigMap or a Secret may hold.
MOST_BYTES: Final = 1024 * 1024

_KEY: Final = re.compile(r"[-._a-zA-Z0-9]+")
_LONGEST_KEY: Final = 253
_KEY_RULE: Final = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or"
    " 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_HIDDEN: Final = "<secret contents redacted>"
_ACCOUNT: Final = "kubernetes.io/service-account.name"
_OPAQUE: Final = "Opaque"
#: The keys that a Secret of a type must have, all of them; of basic-auth one is enough.
_NEEDED: Final = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_BASIC: Final = ("username", "password")
_JSON_TYPES: Final = ("kubernetes.io/dockercfg", "kubernetes.io/dockerconfigjson")


def admit_secret(secret: Document, before: Document | None, _index: Index) -> Admitted:
    """Turn ``stringData`` into ``data``, and see that a Secret holds what its type says."""
    plain: dict[str, str] = secret.get("stringData") or {}
    encoded = {key: base64.b64encode(text.encode(errors="replace")).decode() for key, text in plain.items()}
    data: dict[str, str] = (secret.get("data") or {}) | encoded
    sort = secret.get("type") or (before or {}).get("type") or _OPAQUE
    filled = without(secret, "stringData") | {"type": sort} | ({"data": data} if data else {})
    known = _check_secret(before) if before else ()
    faults = [*_check_immutable(filled, before), *list_new(_check_secret(filled), known)]
    if before and before.get("type", _OPAQUE) != sort:
        faults.append(FieldFault(Fault.INVALID, "type", "field is immutable", sort))
    return Admitted(filled, tuple(faults))


def admit_config_map(config: Document, before: Document | None, _index: Index) -> Admitted:
    """See that keys are keys, that binary data is base64, and that what is immutable stays."""
    known = _check_config_map(before) if before else ()
    return Admitted(config, (*_check_immutable(config, before), *list_new(_check_config_map(config), known)))


def _check_secret(secret: Document) -> Iterator[FieldFault]:
    data: dict[str, str] = secret.get("data") or {}
    yield from _check_base64(data, "data", shown=_HIDDEN)
    yield from _check_keys(data, "data", ())
    yield from _check_size(0, data.values(), "data")
    yield from _check_type(secret, data)


def _check_config_map(config: Document) -> Iterator[FieldFault]:
    data: dict[str, str] = config.get("data") or {}
    binary: dict[str, str] = config.get("binaryData") or {}
    yield from _check_keys(data, "data", binary)
    yield from _check_keys(binary, "binaryData", data)
    yield from _check_base64(binary, "binaryData", shown="<binary contents>")
    yield from _check_size(sum(len(text.encode(errors="replace")) for text in data.values()), binary.values(), "")


def _check_keys(data: Iterable[str], path: str, others: Iterable[str]) -> Iterator[FieldFault]:
    for key in data:
        for rule in _key_rules(key):
            yield FieldFault(Fault.INVALID, f"{path}[{key}]", rule, key)
        if key in others:
            other = "binaryData" if path == "data" else "data"
            yield FieldFault(Fault.INVALID, f"{path}[{key}]", f"duplicate of key present in {other}", key)


def _key_rules(key: str) -> Iterator[str]:
    if len(key) > _LONGEST_KEY:
        yield f"must be no more than {_LONGEST_KEY} characters"
    if not _KEY.fullmatch(key):
        yield _KEY_RULE
    if key in {".", ".."}:
        yield f"must not be '{key}'"
    elif key.startswith(".."):
        yield "must not start with '..'"


def _check_base64(data: dict[str, str], path: str, *, shown: str) -> Iterator[FieldFault]:
    for key, text in data.items():
        if _decode(text) is None:
            # The text may be a secret that somebody forgot to encode: it is not repeated.
            yield FieldFault(Fault.INVALID, f"{path}[{key}]", "must be base64", shown)


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _check_size(plain: int, encoded: Iterable[str], path: str) -> Iterator[FieldFault]:
    if plain + sum(len(_decode(text) or b"") for text in encoded) > MOST_BYTES:
        yield FieldFault(Fault.TOO_LONG, path, f"may not be more than {MOST_BYTES} bytes")


def _check_type(secret: Document, data: dict[str, str]) -> Iterator[FieldFault]:
    sort = str(secret.get("type"))
    if sort == "kubernetes.io/service-account-token":
        annotations = metadata_of(secret).get("annotations") or {}
        if not annotations.get(_ACCOUNT):
            yield FieldFault(Fault.REQUIRED, f"metadata.annotations[{_ACCOUNT}]")
    if sort == "kubernetes.io/basic-auth" and not any(key in data for key in _BASIC):
        yield from (FieldFault(Fault.REQUIRED, f"data[{key}]") for key in _BASIC)
    for key in _NEEDED.get(sort, ()):
        is_empty = sort == "kubernetes.io/ssh-auth" and not data.get(key)
        if key not in data or is_empty:
            yield FieldFault(Fault.REQUIRED, f"data[{key}]")
        elif sort in _JSON_TYPES and not _is_object(data[key]):
            yield FieldFault(Fault.INVALID, f"data[{key}]", "must be a JSON object", _HIDDEN)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(_decode(text) or b""), dict)
    except (ValueError, RecursionError):
        return False


def _check_immutable(document: Document, before: Document | None) -> Iterator[FieldFault]:
    if not before or not before.get("immutable"):
        return
    for field in ("immutable", "data", "binaryData"):
        if document.get(field) != before.get(field):
            yield FieldFault(Fault.FORBIDDEN, field, "field is immutable when `immutable` is set")
