"""What a caller gives as a request's body, and the bytes that are sent for it."""

import json
from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

_JSON: Final = "application/json"
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Body:
    """A body ready to be sent.

    Attributes:
        data: The bytes; None sends no body.
        content_type: What they are; "" without a body.
    """

    data: bytes | None
    content_type: str

    def add_type(self, headers: Dict[str, str]) -> dict[str, str]:
        """Put the content type before the caller's headers, unless they have one of their own.

        Example:
            >>> read_body([1]).add_type({"content-type": "application/x"})
            {'content-type': 'application/x'}
        """
        named = {name.lower() for name in headers}
        usual = {"Content-Type": self.content_type} if self.content_type and "content-type" not in named else {}
        return {**usual, **headers}


def read_body(body: object) -> Body:
    """Turn what a caller gives into bytes: bytes and text as they are, anything else as JSON.

    Args:
        body: Arrays and scalars of numpy and its like are sent as lists and numbers. None is no body.

    Raises:
        TypeError: JSON cannot hold it; the message names the type.

    Example:
        >>> read_body({"instances": [1]}).data, read_body("a").content_type, read_body(None).data
        (b'{"instances": [1]}', 'text/plain; charset=utf-8', None)
    """
    if body is None:
        return Body(None, "")
    if isinstance(body, bytes | bytearray | memoryview):
        return Body(bytes(body), _BYTES)
    if isinstance(body, str):
        return Body(body.encode(), _TEXT)
    return Body(json.dumps(body, default=_plain).encode(), _JSON)


@runtime_checkable
class _ToList(Protocol):
    """What numpy's, pandas' and PyTorch's values have in common."""

    def tolist(self) -> object: ...


def _plain(value: object) -> object:
    if isinstance(value, _ToList):
        return value.tolist()
    table = "; of a table its to_numpy() or to_dict('list')" if hasattr(value, "columns") else ""
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON: give numbers, text, lists, dicts or arrays{table}")
