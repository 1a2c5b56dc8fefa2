"""Model servers behind a real Envoy: each sees its own paths, and what it sends in pieces arrives in pieces."""

import asyncio
from collections.abc import Iterator
from http.client import HTTPConnection
from queue import SimpleQueue
from urllib.parse import urlsplit

import pytest
from aiohttp import web

import kfambassador as kfa
from kfambassador.local.background import BackgroundServer
from kfambassador.local.stack import LocalStack
from tests.backends import Answer, Echo, EchoServer
from tests.unit.sdk.servers.published import SERVERS, find_upstream, publish_kinds

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("servers")]

PIECES = 4
PATIENCE = 20.0

CHUNK = 'data: {"choices": [{"delta": {"content": "Hel"}}]}\n\n'


class PieceServer(BackgroundServer):
    """Answers in pieces, and sends each only when it was told that the one before has arrived."""

    def __init__(self) -> None:
        self._arrived: SimpleQueue[None] = SimpleQueue()
        app = web.Application()
        app.router.add_post("/{path:.*}", self._answer)
        app.router.add_get("/{path:.*}", self._tell)
        super().__init__(app)

    def confirm(self) -> None:
        """Say that a piece has arrived."""
        self._arrived.put(None)

    async def _tell(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number in range(PIECES):
            await response.write(f"data: {number}\n\n".encode())
            await asyncio.to_thread(self._arrived.get, timeout=PATIENCE)
        return response


@pytest.fixture(scope="module")
def gateway(stack: LocalStack) -> Iterator[kfa.Gateway]:
    with kfa.Gateway.at(stack.endpoint) as gateway:
        yield gateway


def ask(gateway: kfa.Gateway, method: str, path: str) -> Echo:
    address = urlsplit(gateway.url)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
    try:
        connection.request(method, path, body=b"{}" if method != "GET" else None)
        response = connection.getresponse()
        text = response.read()
    finally:
        connection.close()
    assert response.status == 200, (method, path, text)
    return Echo.read(text)


@pytest.mark.parametrize("kind", sorted(SERVERS))
def test_each_server_sees_its_own_paths(gateway: kfa.Gateway, kind: str) -> None:
    published, table = SERVERS[kind], publish_kinds(("mnist", kind))
    server = type(published).model_validate(published.model_dump(exclude={"grpc_port"}))
    base = server.base("mnist")
    with (
        EchoServer("mnist") as first,
        EchoServer("mnist2") as second,
        gateway.expose("mnist", service=first.port, server=server),
        gateway.expose("mnist2", service=second.port, server=server),
    ):
        for operation in server.operations(base).values():
            seen = ask(gateway, operation.method, operation.path)
            expected = find_upstream(table, operation.method, operation.path)
            assert expected is not None
            assert (seen.backend, seen.method, seen.path) == ("mnist", operation.method, expected[1])
        predict = server.operations(base)["predict"]
        spelled = [ask(gateway, "POST", path) for path in (predict.path, base, base.rstrip("/"))]
        assert len({(seen.backend, seen.path) for seen in spelled}) == 1
        neighbour = server.base("mnist2").rstrip("/")
        assert ask(gateway, "POST", neighbour).backend == "mnist2"
        assert ask(gateway, "POST", f"{neighbour}/").backend == "mnist2"


@pytest.mark.parametrize(
    ("server", "path"),
    [
        (kfa.OpenAI(), "v1/chat/completions"),
        (kfa.OpenAI(), ""),
        (kfa.KServeV2(), "generate_stream"),
        (kfa.TorchServe(), ""),
        (kfa.MLflow(), "invocations"),
        (kfa.HTTPServer(paths={"predict": "/generate"}), "generate"),
        (kfa.HTTPServer(), "anything"),
    ],
    ids=str,
)
def test_an_answer_in_pieces_is_never_held_back(gateway: kfa.Gateway, server: kfa.ModelServer, path: str) -> None:
    with PieceServer() as pieces, gateway.expose("llm", service=pieces.port, server=server) as exposure:
        address = urlsplit(exposure.url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE)
        try:
            connection.request("POST", f"{address.path}{path}", body=b"{}")
            response = connection.getresponse()
            assert response.status == 200
            # The next piece is sent only once this one is here: were any held back, this would wait in vain.
            for number in range(PIECES):
                assert response.read1() == f"data: {number}\n\n".encode()
                pieces.confirm()
            assert response.read() == b""
        finally:
            connection.close()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (CHUNK + 'data: {"error": {"message": "out of memory"}}\n\ndata: [DONE]\n\n', "with an error: .*out of memory"),
        (CHUNK + "data: nonsense\n\n", "is not JSON: 'nonsense'"),
    ],
)
def test_a_chat_that_breaks_off_is_no_short_answer(gateway: kfa.Gateway, told: str, words: str) -> None:
    with EchoServer() as echo, gateway.expose("llm", service=echo.port, server=kfa.OpenAI()) as llm:
        echo.script.tell(Answer(body=told, headers={"content-type": "text/event-stream"}))
        pieces = llm.chat_stream("Hello")
        assert next(pieces) == "Hel"
        with pytest.raises(kfa.RouteFailed, match=words):
            next(pieces)


def test_a_chat_without_a_text_is_said(gateway: kfa.Gateway) -> None:
    with EchoServer() as echo, gateway.expose("llm", service=echo.port, server=kfa.OpenAI()) as llm:
        echo.script.tell(Answer(body='{"choices": [{"message": {"content": null, "tool_calls": []}}]}'))
        with pytest.raises(kfa.RouteFailed, match=r"answered 200 without a text; call\('chat', ...\) gives it all"):
            llm.chat("Hello")
        with pytest.raises(ValueError, match="a language model cannot be asked with NoneType"):
            llm.chat(None)  # type: ignore[arg-type]


def test_a_stream_that_is_refused_is_no_stream(gateway: kfa.Gateway) -> None:
    with EchoServer() as echo, gateway.expose("llm", service=echo.port, server=kfa.OpenAI()) as llm:
        echo.script.tell(Answer(status=400, body="no such model"))
        with pytest.raises(kfa.RouteFailed, match=r"answered 400: .*no such model") as caught:
            llm.stream("chat", {"messages": [], "stream": True})
    assert caught.value.status == 400
