"""What the extra costs, what is said when it is not there, and what a channel takes care of."""

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from kfambassador.errors import MissingExtra, RouteFailed
from kfambassador.sdk.calling.credentials import BearerToken, CredentialsInClear
from kfambassador.sdk.grpc.channel import open_channel
from kfambassador.sdk.grpc.messages import Protocol


def test_importing_the_clients_loads_neither_grpc_nor_protobuf() -> None:
    program = (
        "import sys, kfambassador.sdk.grpc.tfserving, kfambassador.sdk.grpc.open_inference\n"
        "print([name for name in ('grpc', 'google.protobuf', 'numpy') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


def test_without_the_extra_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(MissingExtra, match=r"call a model by gRPC. Install it: pip install 'kfambassador\[grpc\]'"):
        open_channel("http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "google.protobuf.descriptor_pb2", None)
    with pytest.raises(MissingExtra, match="grpc"):
        Protocol("x", {"X": "1 x bool"}).new("X")


def test_credentials_in_clear_are_warned_of() -> None:
    with pytest.warns(CredentialsInClear), open_channel("http://gateway.invalid", credentials=BearerToken("canary")):
        pass
    with warnings.catch_warnings(action="error"):
        open_channel("https://gateway.invalid", credentials=BearerToken("canary")).close()
        open_channel("http://127.0.0.1:1", credentials=BearerToken("canary")).close()


class Greeter(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """Answers every call with the token it is shown."""

    def service(self, handler_call_details: Any) -> Any:
        shown = dict(handler_call_details.invocation_metadata).get("authorization", "")
        return grpc.unary_unary_rpc_method_handler(lambda _request, _context: shown.encode())


def test_tls_is_spoken_and_only_the_named_authority_is_believed(tmp_path: Path) -> None:
    own, other = trustme.CA(), trustme.CA()
    issued = own.issue_cert("localhost")
    server = grpc.server(ThreadPoolExecutor(1), handlers=(Greeter(),))
    chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
    trust = grpc.ssl_server_credentials([(issued.private_key_pem.bytes(), chain)])
    port = server.add_secure_port("localhost:0", trust)
    server.start()
    try:
        for authority in (own, other):
            authority.cert_pem.write_to_path(tmp_path / "ca.pem")
            with open_channel(
                f"https://localhost:{port}", credentials=BearerToken("canary"), ca_file=tmp_path / "ca.pem"
            ) as channel:
                if authority is own:
                    assert channel.ask("/a.B/C", b"", timeout=20.0) == b"Bearer canary"
                    continue
                with pytest.raises(RouteFailed, match="UNAVAILABLE") as caught:
                    channel.ask("/a.B/C", b"", timeout=20.0)
                assert "canary" not in str(caught.value)
    finally:
        server.stop(None).wait()
