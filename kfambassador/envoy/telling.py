"""Envoy's messages told to people, without their secrets."""

import json
from typing import Final

from kfambassador.envoy.protos import Message, MessageToJson

#: What stands where a secret was.
HIDDEN: Final = "[hidden]"

# The fields of Envoy's messages that hold secrets, wherever they stand.
_SECRETS: Final = frozenset({"private_key", "password"})
_TEXTS: Final = frozenset({"inline_string", "inline_bytes"})


def tell_message(message: Message) -> dict[str, object]:
    """Give a message as plain data in protobuf's JSON, with the text of every private key hidden.

    Fields stand in alphabetical order: protobuf gives the entries of a map in another order each time.

    Example:
        >>> from kfambassador.envoy.protos import Cluster
        >>> tell_message(Cluster(name="c"))
        {'name': 'c'}
    """
    told: dict[str, object] = json.loads(MessageToJson(message, preserving_proto_field_name=True, sort_keys=True))
    _hide(told, secret=False)
    return told


def _hide(value: object, *, secret: bool) -> None:
    """Hide the texts of what is secret, however deep it stands."""
    if isinstance(value, list):
        for each in value:
            _hide(each, secret=secret)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if secret and name in _TEXTS:
                value[name] = HIDDEN
            else:
                _hide(inner, secret=secret or name in _SECRETS)
