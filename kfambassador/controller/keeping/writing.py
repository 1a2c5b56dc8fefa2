"""A snapshot as bytes, and back. Pure.

What was kept is served only where it is whole, and where the settings are those it was made by: a gateway that was told
to be stricter since must not serve what it refuses now.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, replace
from hashlib import blake2b
from itertools import chain
from typing import Final

from pydantic import BaseModel, ValidationError

from kfambassador.controller.settings import ControllerSettings
from kfambassador.envoy.snapshot import EARLIER, Snapshot, TypeUrl, XdsResource

#: Counts up with every change after which older files cannot be read as they were meant.
FORMAT: Final = 1

_TITLE: Final = b"kfambassador last known good, format "
_DIGEST: Final = 32
# Nearly all of a large table repeats itself, and more effort would hardly make it smaller.
_EFFORT: Final = 1


class Unusable(Exception):
    """What was kept cannot be served; says why to a person."""


class _Entry(BaseModel, frozen=True):
    type: TypeUrl
    name: str
    size: int


class _Contents(BaseModel, frozen=True):
    made_by: str
    resources: tuple[_Entry, ...]


def describe_maker(settings: ControllerSettings) -> str:
    """Give a short word for all settings that a snapshot depends on; it is another as soon as one of them is.

    Example:
        >>> from pathlib import Path
        >>> plain = ControllerSettings(xds_socket=Path("/run/x.sock"))
        >>> narrow = ControllerSettings(xds_socket=Path("/run/x.sock"), namespace="team")
        >>> describe_maker(plain) == describe_maker(plain), describe_maker(plain) == describe_maker(narrow)
        (True, False)
    """
    # A pod that is made anew has other addresses of its own, and is the same gateway.
    policy = replace(settings.policy, own_addresses=frozenset())
    parts = [asdict(settings.listener), asdict(policy), settings.namespace, settings.selector.text]
    text = json.dumps(parts, sort_keys=True, default=lambda value: sorted(value) if _is_set(value) else str(value))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _is_set(value: object) -> bool:
    return isinstance(value, (set, frozenset))


def write_snapshot(snapshot: Snapshot, *, made_by: str) -> bytes:
    """Write a snapshot.

    Args:
        snapshot: The snapshot.
        made_by: What :func:`describe_maker` says.
    """
    resources = list(_list_resources(snapshot))
    contents = _Contents(
        made_by=made_by,
        resources=tuple(_Entry(type=kind, name=each.name, size=len(each.body)) for kind, each in resources),
    )
    head = contents.model_dump_json().encode() + b"\n"
    packed = zlib.compress(b"".join(chain([head], (each.body for _, each in resources))), _EFFORT)
    return _TITLE + f"{FORMAT}\n".encode() + _digest(packed) + packed


def read_snapshot(kept: bytes, *, made_by: str) -> Snapshot:
    """Read a snapshot; its generation is :data:`~kfambassador.envoy.snapshot.EARLIER`.

    Args:
        kept: What :func:`write_snapshot` wrote.
        made_by: What :func:`describe_maker` says of this controller's settings.

    Raises:
        Unusable: It is damaged, or another version or other settings made it.

    Example:
        >>> snapshot = Snapshot({TypeUrl.CLUSTER: {"a": XdsResource.of("a", b"...")}}, generation=7)
        >>> kept = write_snapshot(snapshot, made_by="me")
        >>> read_snapshot(kept, made_by="me").resources == snapshot.resources
        True
        >>> read_snapshot(kept[:-1], made_by="me")
        Traceback (most recent call last):
        ...
        kfambassador.controller.keeping.writing.Unusable: it is damaged: its checksum is another
    """
    title, _, rest = kept.partition(b"\n")
    if not title.startswith(_TITLE):
        raise Unusable("it is no such file")
    if title != _TITLE + str(FORMAT).encode():
        raise Unusable("another version of kfambassador wrote it")
    digest, packed = rest[:_DIGEST], rest[_DIGEST:]
    if digest != _digest(packed):
        raise Unusable("it is damaged: its checksum is another")
    try:
        head, _, bodies = zlib.decompress(packed).partition(b"\n")
        contents = _Contents.model_validate_json(head)
    except (zlib.error, ValidationError) as error:
        raise Unusable("another version of kfambassador wrote it") from error
    if contents.made_by != made_by:
        raise Unusable("the gateway's settings were others")
    return Snapshot(_cut(contents, bodies), generation=EARLIER)


def _cut(contents: _Contents, bodies: bytes) -> dict[TypeUrl, dict[str, XdsResource]]:
    resources: dict[TypeUrl, dict[str, XdsResource]] = {}
    place = 0
    for entry in contents.resources:
        body = bodies[place : place + entry.size]
        resources.setdefault(entry.type, {})[entry.name] = XdsResource.of(entry.name, body)
        place += entry.size
    return resources


def _list_resources(snapshot: Snapshot) -> Iterator[tuple[TypeUrl, XdsResource]]:
    for type_url, resources in snapshot.resources.items():
        for resource in resources.values():
            yield type_url, resource


def _digest(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=_DIGEST).digest()
