"""Options of the Module ``ambassador`` about filters that every request passes, and about the log."""

from collections.abc import Mapping as Dict
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from kfambassador.attributes.base import Part, as_list
from kfambassador.resources.gateway import GatewayResource
from kfambassador.resources.log_format import check_format
from kfambassador.resources.module_listener import MOST

# The names Ambassador has for Envoy's levels and strategies, and Envoy's own.
_LEVELS: Final = {"BEST": "BEST_COMPRESSION", "SPEED": "BEST_SPEED", "DEFAULT": "DEFAULT_COMPRESSION"}
_STRATEGIES: Final = {"DEFAULT": "DEFAULT_STRATEGY", "HUFFMAN": "HUFFMAN_ONLY"}

Level = Literal["DEFAULT_COMPRESSION", "BEST_SPEED", "BEST_COMPRESSION"]
Strategy = Literal["DEFAULT_STRATEGY", "FILTERED", "HUFFMAN_ONLY", "RLE", "FIXED"]
_Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(as_list)]


def _translate(names: Dict[str, str], value: object) -> object:
    return names.get(value, value) if isinstance(value, str) else value


class Buffer(Part, frozen=True):
    """Requests are held until they are whole."""

    max_request_bytes: Annotated[int, Field(ge=1, le=MOST, description="Larger ones are answered 413.")]


class Gzip(Part, frozen=True):
    """Answers are compressed for clients that ask for it."""

    enabled: Annotated[bool, Field(description="false leaves answers as they are.")] = True
    memory_level: Annotated[int | None, Field(ge=1, le=9, description="Memory it may use; 5 when absent.")] = None
    min_content_length: Annotated[
        int | None, Field(ge=0, le=MOST, description="Shorter answers are left as they are; 30 when absent.")
    ] = None
    compression_level: Annotated[
        Level, BeforeValidator(partial(_translate, _LEVELS)), Field(description="BEST, SPEED or DEFAULT.")
    ] = "DEFAULT_COMPRESSION"
    compression_strategy: Annotated[
        Strategy,
        BeforeValidator(partial(_translate, _STRATEGIES)),
        Field(description="FILTERED, HUFFMAN, RLE or DEFAULT."),
    ] = "DEFAULT_STRATEGY"
    window_bits: Annotated[int | None, Field(ge=9, le=15, description="Size of the window; 12 when absent.")] = None
    content_type: Annotated[_Texts, Field(description="Which answers; text and JSON when absent.")] = ()
    disable_on_etag_header: Annotated[bool, Field(description="Not those with an etag.")] = False
    remove_accept_encoding_header: Annotated[bool, Field(description="Do not ask services to compress themselves.")] = (
        False
    )


class GrpcService(Part, frozen=True):
    """Methods of one gRPC service."""

    name: Annotated[str, Field(min_length=1, description="The service's full name.")]
    method_names: Annotated[_Texts, Field(description="The methods that are counted.")] = ()


class GrpcStats(Part, frozen=True):
    """Statistics of gRPC calls."""

    all_methods: Annotated[
        bool, Field(description="Of every method that is called; clients then decide how many are kept.")
    ] = False
    services: Annotated[
        tuple[GrpcService, ...], BeforeValidator(as_list), Field(description="Of these only, [{name, method_names}].")
    ] = ()
    upstream_stats: Annotated[bool, Field(description="How long services took, too.")] = False


def _read_network(value: object) -> object:
    try:
        return ip_network(value.strip(), strict=False) if isinstance(value, str) else value
    except ValueError:
        raise PydanticCustomError("address", "an address or a range such as 10.0.0.0/8") from None


_Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_read_network)]


class AddressRange(Part, frozen=True):
    """Clients by their addresses; one of both."""

    peer: Annotated[_Network | None, Field(description="The connection's other end.")] = None
    remote: Annotated[_Network | None, Field(description="The client, as proxies that are trusted name it.")] = None

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.peer is None) == (self.remote is None):
            raise PydanticCustomError("address", "one of peer and remote")
        return self


_Ranges = Annotated[tuple[AddressRange, ...], BeforeValidator(as_list)]


class FilterOptions(GatewayResource, frozen=True):
    """Filters that every request passes, and the log."""

    buffer: Annotated[Buffer | None, Field(description="Hold requests until they are whole.")] = None
    enable_grpc_http11_bridge: Annotated[
        bool, Field(description="Let clients of HTTP/1.1 call gRPC services, answers in trailers made headers.")
    ] = False
    enable_grpc_web: Annotated[bool, Field(description="Let browsers call gRPC services by gRPC-Web.")] = False
    grpc_stats: Annotated[GrpcStats | None, Field(description="Keep statistics of gRPC calls.")] = None
    gzip: Annotated[Gzip | None, Field(description="Compress answers for clients that ask for it.")] = None
    ip_allow: Annotated[
        _Ranges | None, Field(description="Only these clients are let in, others answered 403: [{peer: cidr}].")
    ] = None
    ip_deny: Annotated[_Ranges | None, Field(description="These clients are answered 403: [{remote: cidr}].")] = None
    lua_scripts: Annotated[
        str | None,
        Field(min_length=1, description="A script every request passes, if the gateway's settings allow it."),
    ] = None
    envoy_log_type: Annotated[
        Literal["text", "json", "typed_json"] | None,
        Field(description="Write a line for each request: text or json. Nothing is written when all three are absent."),
    ] = None
    envoy_log_format: Annotated[
        str | Dict[str, str] | None,
        AfterValidator(check_format),
        Field(description="What the line says, in Envoy's operators: text, or an object of texts for json."),
    ] = None
    envoy_log_path: Annotated[
        Literal["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2"] | None,
        Field(description="Where it goes; /dev/stdout when absent."),
    ] = None
