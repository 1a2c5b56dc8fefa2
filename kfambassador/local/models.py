"""A model server that speaks TensorFlow Serving's REST API, for demos, tests and tutorials.

The model is the one TensorFlow Serving tests itself with: half of x, plus two. No TensorFlow is needed.
"""

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from kfambassador.local.background import BackgroundServer

#: The largest request read, in bytes: a batch of images fits.
LARGEST_REQUEST = 32 * 1024 * 1024


def half_plus_two(x: object) -> object:
    """Apply the model to a number, to each number of a (nested) list, or to the input ``x`` of a named row.

    Raises:
        ValueError: There is something else than numbers in it.

    Example:
        >>> half_plus_two([1.0, [2.0, 5.0], {"x": 0}])
        [2.5, [3.0, 4.5], 2.0]
    """
    match x:
        case bool() | str() | None:
            raise ValueError(f"{json.dumps(x)} is not a number")
        case int() | float():
            return x / 2 + 2
        case list():
            return [half_plus_two(item) for item in x]
        case {"x": value, **others} if not others:
            return half_plus_two(value)
        case _:
            raise ValueError(f"the model has one input, 'x', and got {json.dumps(x)}")


class ModelServer(BackgroundServer):
    """Serves half plus two under TensorFlow Serving's paths.

    Args:
        name: The model's name in the paths.
        version: The one version that is loaded.
        port: The TCP port; 0 takes any free one. TensorFlow Serving's own is 8501.
        failing: Say that all is well, and fail on every prediction: a version to go back from.

    Example:
        >>> with ModelServer() as server:
        ...     server.url == f"http://127.0.0.1:{server.port}"
        True
    """

    def __init__(self, name: str = "half_plus_two", *, version: int = 1, port: int = 0, failing: bool = False) -> None:
        self.name = name
        self.version = version
        self._failing = failing
        app = web.Application(middlewares=[_errors_as_json], client_max_size=LARGEST_REQUEST)
        for model in (r"/v1/models/{name:[^/:]+}", r"/v1/models/{name:[^/:]+}/versions/{version:\d+}"):
            app.router.add_get(model, self._status)
            app.router.add_get(model + "/metadata", self._metadata)
            app.router.add_post(model + ":predict", self._predict)
        super().__init__(app, port=port)

    async def _status(self, request: web.Request) -> web.Response:
        self._find_model(request)
        status = {"error_code": "OK", "error_message": ""}
        version = {"version": str(self.version), "state": "AVAILABLE", "status": status}
        return web.json_response({"model_version_status": [version]})

    async def _metadata(self, request: web.Request) -> web.Response:
        self._find_model(request)
        signature = {
            "inputs": {"x": _tensor("x:0")},
            "outputs": {"y": _tensor("y:0")},
            "method_name": "tensorflow/serving/predict",
        }
        spec = {"name": self.name, "signature_name": "", "version": str(self.version)}
        metadata = {"signature_def": {"signature_def": {"serving_default": signature}}}
        return web.json_response({"model_spec": spec, "metadata": metadata})

    async def _predict(self, request: web.Request) -> web.Response:
        self._find_model(request)
        if self._failing:
            raise web.HTTPInternalServerError(text="It fails on every prediction, as it was told to")
        match json.loads(await request.read()):
            case {"instances": list() as rows}:
                return web.json_response({"predictions": half_plus_two(rows)})
            case {"inputs": columns}:
                return web.json_response({"outputs": half_plus_two(columns)})
            case _:
                raise ValueError("the body must be an object with a list 'instances' (rows) or with 'inputs' (columns)")

    def _find_model(self, request: web.Request) -> None:
        """Refuse a request for another model or version than ours."""
        name = request.match_info["name"]
        version = request.match_info.get("version")
        if name != self.name or version not in {None, str(self.version)}:
            wanted = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise web.HTTPNotFound(text=f"Servable not found for request: {wanted}")


@web.middleware
async def _errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer every error in TensorFlow Serving's shape."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if request.match_info.http_exception is not None:  # no such path, or not with this method
            return _error(400, f"Malformed request: {request.method} {request.path}")
        return _error(error.status, error.text or error.reason)
    except (ValueError, OverflowError, RecursionError) as error:
        return _error(400, f"Cannot predict: {error}")


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


def _tensor(name: str) -> dict[str, object]:
    shape = {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False}
    return {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": name}
