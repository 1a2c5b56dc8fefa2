"""Messages: the fields of Kubernetes' own objects, read from the tables in ``api/``. Pure but for reading them.

There is one table for each group and version, and one paragraph in it for each message::

    ContainerPort -- A port a container listens on.
      1 name string -- A name other objects may call the port by.
      3 containerPort int32! -- The number of the port.
      4 protocol string default("TCP") -- TCP, UDP or SCTP.

A line gives a field's number in protobuf, its name in JSON, its type and what else holds of it. From these facts come
the schema that objects are held against (:mod:`.shapes`), what clients are told (:mod:`.discovery.openapi`) and how
bodies in protobuf are read (:mod:`.protobuf`). A table is read when one of its messages is first asked about.

==================  ==============================================================================================
``[]T``, ``{}T``    a list of T; a map from texts to T
``?``               whether there is one is told apart from its being zero or empty
``!``, ``*``        the field must be there; it is documented so, and servers take objects without it nevertheless
``inline``          the fields of the message stand among those of the one it is in
``set``             a list whose items are all different
``map(a,b)``        a list whose items are told apart by these fields
``twins``           although items are told apart so, there may be two with the same
``merge(a)``        a strategic merge patch merges the list, finding items by this field; other strategies follow it
``retainKeys``      a strategic merge patch names the fields to keep; ``replace``: it replaces the value
``atomic``          an object or map that one manager owns as a whole; ``granular``: not so, although its message is
``enum(a|b)``       the values there are
``default(V)``      what is taken where there is none, in JSON
==================  ==============================================================================================
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from kfambassador.local.kube.documents.document import Json

_LINE: Final = re.compile(
    r"  (?P<number>\d+) (?P<name>\S+) (?P<holder>\[\]|\{\})?(?P<type>[\w.]+)(?P<optional>\??)(?P<needed>[!*]?)"
)
_FACT: Final = re.compile(r" (\w+)(?:\((\"(?:[^\"\\]|\\.)*\"|[^)]*)\))?")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        number: Its number in protobuf.
        name: Its name in JSON.
        type: A simple type, as ``string``, or the full name of a message, as ``core.v1.PodSpec``.
        is_list: Whether there is a list of them.
        is_map: Whether there is a map of them.
        is_optional: Whether there being none is told apart from its being zero or empty. Where it is not, protobuf has
            the zero of every simple field nobody has set.
        is_required: Whether an object without it is refused.
        is_documented_required: Whether clients are told that it must be there.
        facts: What else holds of it, by the words of the table.
        description: What it is for, "" where nothing is said.
    """

    number: int
    name: str
    type: str
    is_list: bool
    is_map: bool
    is_optional: bool
    is_required: bool
    is_documented_required: bool
    facts: Mapping[str, str]
    description: str

    @property
    def default(self) -> Json:
        """What is taken where there is none, None for no default."""
        value: Json = json.loads(self.facts["default"]) if "default" in self.facts else None
        return value

    @property
    def is_message(self) -> bool:
        """Whether its type is a message."""
        return "." in self.type


@dataclass(frozen=True, slots=True)
class Message:
    """A message: an object, or a part of one.

    Attributes:
        name: Its full name, as ``core.v1.PodSpec``.
        own_fields: Its fields as the table has them.
        is_atomic: Whether one manager owns it as a whole.
        description: What it is, "" where nothing is said.
    """

    name: str
    own_fields: tuple[Field, ...]
    is_atomic: bool
    description: str

    def fields(self) -> Iterator[Field]:
        """Its fields as they stand in JSON: those of inlined messages are among them."""
        for field in self.own_fields:
            if "inline" in field.facts:
                yield from find_message(field.type).fields()
            else:
                yield field


def name_message(group: str, version: str, kind: str) -> str:
    """The full name of a kind's message.

    Example:
        >>> name_message("rbac.authorization.k8s.io", "v1", "Role"), name_message("", "v1", "Pod")
        ('rbac.v1.Role', 'core.v1.Pod')
    """
    return f"{group.partition('.')[0] or 'core'}.{version}.{kind}"


def find_message(name: str) -> Message:
    """The message of a full name.

    Raises:
        KeyError: When there is no such message.

    Example:
        >>> [field.name for field in find_message("apps.v1.RollingUpdateDeployment").fields()]
        ['maxUnavailable', 'maxSurge']
    """
    package, _, own = name.rpartition(".")
    return _read_package(package)[own]


def has_message(name: str) -> bool:
    """Whether there is a message of a full name.

    Example:
        >>> has_message("core.v1.Pod"), has_message("core.v1.Nope"), has_message("example.v1.Pod")
        (True, False, False)
    """
    package, _, own = name.rpartition(".")
    return _find_table(package).is_file() and own in _read_package(package)


def _find_table(package: str) -> Traversable:
    return files(__package__).joinpath("api", f"{package}.txt")


@cache
def _read_package(package: str) -> dict[str, Message]:
    text = _find_table(package).read_text(encoding="utf-8")
    messages = (_read_message(paragraph, package) for paragraph in text.split("\n\n"))
    return {message.name.rpartition(".")[2]: message for message in messages}


def _read_message(paragraph: str, package: str) -> Message:
    head, *lines = paragraph.strip("\n").split("\n")
    facts, _, description = head.partition(" -- ")
    name, *more = facts.split(" ")
    fields = tuple(_read_field(line, package) for line in lines)
    return Message(f"{package}.{name}", fields, "atomic" in more, description)


def _read_field(line: str, package: str) -> Field:
    facts, _, description = line.partition(" -- ")
    match = _LINE.match(facts)
    if match is None:
        message = f"the table of {package} has a line that cannot be read: {line!r}"
        raise ValueError(message)
    name = match["type"]
    return Field(
        number=int(match["number"]),
        name=match["name"],
        type=f"{package}.{name}" if name[0].isupper() else name,
        is_list=match["holder"] == "[]",
        is_map=match["holder"] == "{}",
        is_optional=match["optional"] == "?",
        is_required=match["needed"] == "!",
        is_documented_required=match["needed"] != "",
        facts=dict(_FACT.findall(facts, match.end())),
        description=description,
    )
