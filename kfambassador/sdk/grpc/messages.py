"""The SDK's door to protobuf: messages built at run time from a table of fields.

To the type checker each message is Any, as generated classes without types are.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Final

from kfambassador.errors import MissingExtra, RouteFailed

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorProto
    from google.protobuf.message import Message

#: protobuf's numbers of types by our names (descriptor.proto, FieldDescriptorProto.Type). An enum is an int32 here: on
#: the wire they are alike.
_TYPES: Final = {
    "double": 1,
    "float": 2,
    "int64": 3,
    "uint64": 4,
    "int32": 5,
    "bool": 8,
    "string": 9,
    "message": 11,
    "bytes": 12,
    "uint32": 13,
}
_OPTIONAL, _REPEATED = 1, 3


class Protocol:
    r"""The messages of one protocol.

    Args:
        package: Its package.
        fields: For each message, ``number name type`` with commas between. A type is a scalar of protobuf, or a message
            of the table; ``type*`` is repeated, and ``{type}`` a map from strings.

    Example:
        >>> protocol = Protocol("example", {"Point": "1 x double, 2 tags string*", "Named": "1 points {Point}"})
        >>> protocol.write("Point", x=1.5, tags=["a"])
        b'\t\x00\x00\x00\x00\x00\x00\xf8?\x12\x01a'
        >>> protocol.read("Point", b'\x12\x01a').tags
        ['a']
    """

    def __init__(self, package: str, fields: Dict[str, str]) -> None:
        self.package = package
        self._fields = fields
        self._kinds: dict[str, type[Message]] | None = None

    def new(self, name: str, /, **values: object) -> "Message":
        """Make a message.

        Raises:
            MissingExtra: The extra ``grpc`` is not installed.
        """
        if self._kinds is None:
            self._kinds = self._build()
        return self._kinds[name](**values)

    def write(self, name: str, /, **values: object) -> bytes:
        """Make a message and give its bytes."""
        data: bytes = self.new(name, **values).SerializeToString()
        return data

    def read(self, name: str, data: bytes) -> "Message":
        """Read a message.

        Raises:
            RouteFailed: The bytes are none.
        """
        message = self.new(name)
        from google.protobuf.message import DecodeError

        try:
            message.ParseFromString(data)
        except DecodeError as error:
            raise RouteFailed(f"What was answered is no {self.package}.{name}: {error}", status=None) from error
        return message

    def _build(self) -> "dict[str, type[Message]]":
        try:
            from google.protobuf.descriptor_pb2 import FileDescriptorProto
            from google.protobuf.descriptor_pool import DescriptorPool
            from google.protobuf.message_factory import GetMessageClass
        except ModuleNotFoundError as error:
            raise MissingExtra("grpc", needed_for="call a model by gRPC") from error
        file: FileDescriptorProto = FileDescriptorProto(name=f"kfambassador/{self.package}.proto", syntax="proto3")
        file.package = self.package
        for name, fields in self._fields.items():
            self._describe(file, name, fields)
        # A pool of its own: the default one may hold the same names, from tensorflow's packages for one.
        pool = DescriptorPool()
        pool.AddSerializedFile(file.SerializeToString())
        found = {name: pool.FindMessageTypeByName(f"{self.package}.{name}") for name in self._fields}
        return {name: GetMessageClass(descriptor) for name, descriptor in found.items()}

    def _describe(self, file: "FileDescriptorProto", name: str, fields: str) -> None:
        message = file.message_type.add(name=name)
        for number, field, kind in _split(fields):
            if kind.startswith("{"):
                entry = f"{''.join(part.capitalize() for part in field.split('_'))}Entry"
                nested = message.nested_type.add(name=entry)
                nested.options.map_entry = True
                self._add(nested, 1, "key", "string")
                self._add(nested, 2, "value", kind[1:-1])
                message.field.add(
                    number=number,
                    name=field,
                    type=_TYPES["message"],
                    type_name=f".{self.package}.{name}.{entry}",
                    label=_REPEATED,
                )
            else:
                self._add(message, number, field, kind)

    def _add(self, message: "DescriptorProto", number: int, field: str, kind: str) -> None:
        plain = kind.removesuffix("*")
        added = message.field.add(number=number, name=field, label=_REPEATED if kind != plain else _OPTIONAL)
        if plain in self._fields:
            added.type, added.type_name = _TYPES["message"], f".{self.package}.{plain}"
        else:
            added.type = _TYPES[plain]


def _split(fields: str) -> Iterator[tuple[int, str, str]]:
    for each in filter(None, fields.split(", ")):
        number, name, kind = each.split(" ")
        yield int(number), name, kind
