"""The chain of filters: fixed whatever mappings say, and in one order whatever a Module asks for."""

from kfambassador.envoy.filters import build_filters
from kfambassador.envoy.module_filters import build_local_replies, build_log
from kfambassador.envoy.protos import RBAC, Compressor, GzipLibrary, Message, StdoutAccessLog
from kfambassador.resources.module import Module

USUAL = ["rbac", "cors", "custom_response", "router"]


def module(**options: object) -> Module:
    return Module.model_validate({"name": "ambassador", **options})


def names(**options: object) -> list[str]:
    return [each.name.removeprefix("envoy.filters.http.") for each in build_filters(module(**options))]


def unpack(kind: type[Message], name: str, **options: object) -> Message:
    message = kind()
    (found,) = [each for each in build_filters(module(**options)) if each.name == name]
    assert found.typed_config.Unpack(message)
    return message


def test_without_a_word_the_chain_is_the_gateways_own() -> None:
    assert names() == USUAL


def test_all_that_can_be_asked_for_stands_in_one_order() -> None:
    assert names(
        buffer={"max_request_bytes": 1},
        enable_grpc_http11_bridge=True,
        enable_grpc_web=True,
        grpc_stats={},
        gzip={},
        ip_allow=(),
        ip_deny=({"peer": "10.0.0.1"},),
        lua_scripts="x",
        x_forwarded_proto_redirect=True,
    ) == [
        "rbac",
        "kfambassador.https",
        "kfambassador.ip_allow",
        "kfambassador.ip_deny",
        "cors",
        "custom_response",
        "grpc_http1_bridge",
        "grpc_web",
        "grpc_stats",
        "lua",
        "compressor",
        "buffer",
        "router",
    ]


def test_a_key_that_is_there_and_false_is_off() -> None:
    assert names(enable_grpc_web=False, enable_grpc_http11_bridge=False, x_forwarded_proto_redirect=False) == USUAL
    assert names(gzip={"enabled": False}) == USUAL


def test_of_the_bodies_of_errors_only_that_of_a_404_is_the_listeners() -> None:
    def override(status: int, **body: object) -> dict[str, object]:
        return {"on_status_code": status, "body": body}

    others = (override(503, text_format="busy"), override(404, text_format_source={"filename": "/etc/passwd"}))
    assert build_local_replies(module(error_response_overrides=others)) is None
    built = build_local_replies(module(error_response_overrides=(*others, override(404, text_format="gone"))))
    assert built is not None
    assert len(built["mappers"]) == 1  # type: ignore[arg-type]


def test_an_empty_list_lets_nobody_in_and_keeps_nobody_out() -> None:
    allowed = unpack(RBAC, "kfambassador.ip_allow", ip_allow=())
    (principal,) = allowed.rules.policies["addresses"].principals
    assert principal.not_id.any
    assert names(ip_deny=()) == USUAL


def test_a_peer_is_the_connections_other_end_and_a_remote_the_client() -> None:
    ranges = ({"peer": "10.1.2.3/8"}, {"remote": "fd00::1"})
    allowed, denied = (unpack(RBAC, f"kfambassador.{name}", **{name: ranges}) for name in ("ip_allow", "ip_deny"))
    assert (allowed.rules.action, denied.rules.action) == (RBAC().rules.action, 1)
    for filter_ in (allowed, denied):
        peer, remote = filter_.rules.policies["addresses"].principals
        assert (peer.direct_remote_ip.address_prefix, peer.direct_remote_ip.prefix_len.value) == ("10.0.0.0", 8)
        assert (remote.remote_ip.address_prefix, remote.remote_ip.prefix_len.value) == ("fd00::1", 128)


def test_compression_is_as_it_was_asked_for() -> None:
    asked = {"memory_level": 2, "window_bits": 10, "compression_level": "SPEED", "compression_strategy": "FILTERED",
             "min_content_length": 7, "content_type": ["a/b"], "disable_on_etag_header": True,
             "remove_accept_encoding_header": True}  # fmt: skip
    compressor = unpack(Compressor, "envoy.filters.http.compressor", gzip=asked)
    library = GzipLibrary()
    compressor.compressor_library.typed_config.Unpack(library)
    expected = GzipLibrary(compression_level="BEST_SPEED", compression_strategy="FILTERED")
    expected.memory_level.value, expected.window_bits.value = 2, 10
    assert library == expected
    answers = compressor.response_direction_config
    assert (answers.disable_on_etag_header, answers.remove_accept_encoding_header) == (True, True)
    assert (answers.common_config.min_content_length.value, list(answers.common_config.content_type)) == (7, ["a/b"])


def test_nothing_is_logged_unless_the_module_says_anything_of_it() -> None:
    assert build_log(module()) == []
    for option in ({"envoy_log_type": "text"}, {"envoy_log_format": "x"}, {"envoy_log_path": "/dev/fd/1"}):
        (log,) = build_log(module(**option))
        assert log["name"] == "envoy.access_loggers.stdout"


def test_the_log_goes_to_either_stream() -> None:
    for path, stream in {"/dev/fd/1": "stdout", "/dev/stdout": "stdout", "/dev/fd/2": "stderr"}.items():
        (log,) = build_log(module(envoy_log_path=path))
        assert log["name"] == f"envoy.access_loggers.{stream}"


def test_a_line_ends_once() -> None:
    for form in ("x", "x\n"):
        (log,) = build_log(module(envoy_log_format=form))
        message = StdoutAccessLog()
        log["typed_config"].Unpack(message)  # type: ignore[attr-defined]
        assert message.log_format.text_format_source.inline_string == "x\n"
