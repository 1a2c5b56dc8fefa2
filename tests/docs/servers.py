"""Small servers of other kinds than TensorFlow Serving, for the pages of the guide."""

import json

from aiohttp import web

from kfambassador.local.background import BackgroundServer

_WORDS = ("Kubernetes ", "runs ", "containers.")


class InferenceServer(BackgroundServer):
    """A model with one input under the Open Inference Protocol: the sum of each row."""

    def __init__(self, name: str, *, port: int = 0) -> None:
        self._name = name
        app = web.Application()
        app.router.add_get(f"/v2/models/{name}", self._tell)
        app.router.add_get(f"/v2/models/{name}/ready", self._tell)
        app.router.add_post(f"/v2/models/{name}/infer", self._infer)
        super().__init__(app, port=port)

    async def _tell(self, request: web.Request) -> web.Response:
        tensor = {"datatype": "FP64", "shape": [-1, 4]}
        inputs, outputs = [{"name": "x", **tensor}], [{"name": "y", "datatype": "FP64", "shape": [-1]}]
        return web.json_response({"name": self._name, "platform": "test", "inputs": inputs, "outputs": outputs})

    async def _infer(self, request: web.Request) -> web.Response:
        (given,) = json.loads(await request.read())["inputs"]
        rows, width = given["shape"]
        flat = [number for item in given["data"] for number in (item if isinstance(item, list) else [item])]
        sums = [round(sum(flat[row * width : (row + 1) * width]), 6) for row in range(rows)]
        output = {"name": "y", "datatype": "FP64", "shape": [rows], "data": sums}
        return web.json_response({"model_name": self._name, "outputs": [output]})


class ChatServer(BackgroundServer):
    """A language model that always says the same, whole or in pieces."""

    def __init__(self, model: str, *, port: int = 0) -> None:
        self._model = model
        app = web.Application()
        app.router.add_get("/v1/models", self._list)
        app.router.add_post("/v1/chat/completions", self._chat)
        super().__init__(app, port=port)

    async def _list(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self._model, "object": "model"}]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if not json.loads(await request.read()).get("stream"):
            message = {"role": "assistant", "content": "".join(_WORDS)}
            return web.json_response({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for word in _WORDS:
            piece = {"choices": [{"index": 0, "delta": {"content": word}}]}
            await response.write(f"data: {json.dumps(piece)}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response
