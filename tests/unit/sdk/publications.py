"""Publications and gateways of one line, for tests of what the SDK does with them."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web

from kfambassador.kube.client import KubeClient
from kfambassador.local.background import BackgroundServer
from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.http import HttpClient
from kfambassador.sdk.publishing.planning import Wish, build_plan
from kfambassador.sdk.publishing.publication import Publication
from kfambassador.sdk.reaching.reading import ReadApi
from kfambassador.sdk.servers.base import ModelServer
from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.traffic.splitting import put_variant

#: Answers one request of the read API (by what stands after its prefix) or of a model; None answers as usual.
Script = Callable[[str], web.Response | None]


def publication(
    service: str | int = 80,
    server: ModelServer | None = None,
    *,
    attributes: Mapping[str, object] | None = None,
) -> Publication:
    """The model m of namespace team, behind /m/."""
    wish = Wish(
        name="m",
        service=service,
        server=server or HTTPServer(),
        namespace="team",
        attributes=attributes or {},
        reaches_here=True,
    )
    return build_plan(wish).publication


def with_canary(**fields: object) -> Publication:
    """The same with a canary of 10 percent."""
    return put_variant(publication(), {"name": "canary", "service": "m2.team:80", "weight": 10, **fields})


@contextmanager
def scripted_gateway(script: Script, *, client: KubeClient | None = None) -> Iterator[Access]:
    """A gateway whose every answer is scripted; models behind it answer 200 and "null"."""

    async def answer(request: web.Request) -> web.Response:
        said = script(request.path_qs.removeprefix("/ambassador/v0/"))
        return web.Response(text="null") if said is None else said

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    with (
        BackgroundServer(app) as server,
        HttpClient(direct=True) as http,
        KubeClient.connect(server.url, token="unused") as unused,
    ):
        yield Access(client or unused, ReadApi(server.url, http), http, server.url, quiet=True)


def usual_answers(
    source: Mapping[str, object], *, ready: str = "", winner: str = "team/m", asks: str = "", envoy: object = None
) -> Script:
    """What a read API says of the one source, of whoever takes any request, and of its readiness."""
    split = {"mapping": winner, "service": "m", "share": 100}
    explained = {
        "request": {"method": "GET", "host": "h", "path": "/m/"},
        "winner": {"match": {"prefix": "/m/"}, "splits": [split]} if winner else None,
        "asks": asks,
        "envoy": envoy,
    }

    def script(path: str) -> web.Response | None:
        if path == "check_ready":
            return web.Response(text=ready or "ready", status=503 if ready else 200)
        if path.startswith("sources/"):
            return web.Response(text=json.dumps(source))
        if path.startswith("explain"):
            return web.Response(text=json.dumps(explained))
        return None

    return script
