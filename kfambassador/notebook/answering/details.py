"""The details of one route: what was written where, whose it is, and a request to try it with."""

import json
from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Final

from kfambassador.errors import KfAmbassadorError
from kfambassador.kube.kinds import KINDS
from kfambassador.names import CONFIG_ANNOTATION, EXPOSURE_LABEL
from kfambassador.notebook.answering.arguments import DetailsOf
from kfambassador.notebook.answering.splitting import describe_shares
from kfambassador.resources.documents import write_documents
from kfambassador.resources.fields import as_object, as_text
from kfambassador.routing.describe import Json

if TYPE_CHECKING:
    from kfambassador.sdk.exposure import Exposure
    from kfambassador.sdk.gateway import Gateway
    from kfambassador.sdk.views import Route

_NOT_OURS: Final = "it was not published with expose(); whoever wrote it changes its weights there"
_REGEX: Final = "~ "


def tell_details(gateway: "Gateway", question: DetailsOf) -> dict[str, Json]:
    """Tell what is not in the table: the text as it was written, the exposure, and a request to try."""
    carrier, why = _find_carrier(gateway, question.object)
    text, where = _read_text(carrier)
    exposure = _find_exposure(gateway, carrier)
    told: dict[str, Json] = {
        "object": question.object,
        "document": question.document,
        "text": text,
        "text_of": where,
        "why_no_text": why,
        "exposure": None,
        "why_not": _NOT_OURS,
        "request": None,
    }
    if exposure is not None:
        told |= _tell_exposure(exposure)
    if told["request"] is None:
        told["request"] = _guess_request(gateway, question.mapping)
    return told


def _find_carrier(gateway: "Gateway", name: str) -> tuple[Dict[str, object] | None, str]:
    """Find the object that carries the configuration; else say why it cannot be shown."""
    kind_name, _, place = name.partition(" ")
    namespace, slash, own = place.rpartition("/")
    kind = next((each for each in KINDS if each.kind == kind_name), None)
    if kind is None or not own:
        return None, "it is in no object of the cluster"
    if kind_name == "Secret":
        return None, "Secrets are never shown"
    try:
        return gateway.client.get(kind, own, namespace=namespace if slash else None), ""
    except KfAmbassadorError as error:
        return None, str(error)


def _read_text(carrier: Dict[str, object] | None) -> tuple[str, str]:
    """Read what was written in an object: its annotation, or the object itself; and say which it is."""
    if carrier is None:
        return "", ""
    annotations = as_object(as_object(carrier.get("metadata")).get("annotations"))
    written = as_text(annotations.get(CONFIG_ANNOTATION))
    if written:
        return written, CONFIG_ANNOTATION
    return write_documents({key: carrier[key] for key in ("apiVersion", "kind", "spec") if key in carrier}), "spec"


def _find_exposure(gateway: "Gateway", carrier: Dict[str, object] | None) -> "Exposure | None":
    metadata = as_object(carrier.get("metadata")) if carrier else {}
    name = as_text(as_object(metadata.get("labels")).get(EXPOSURE_LABEL))
    if not name:
        return None
    try:
        return gateway.get_exposure(name, namespace=as_text(metadata.get("namespace")))
    except KfAmbassadorError:
        # Taken down meanwhile, or not ours to see.
        return None


def _tell_exposure(exposure: "Exposure") -> dict[str, Json]:
    variants: list[Json] = [
        {"name": each.name, "service": each.service, "weight": each.weight, "shadow": each.shadow}
        for each in exposure.variants
    ]
    described: dict[str, Json] = {
        "namespace": exposure.namespace,
        "name": exposure.name,
        "url": exposure.url,
        "owner": exposure.owner,
        "server": repr(exposure.server),
        "expires_at": exposure.expires_at,
        "variants": variants,
        "shares": [],
    }
    told: dict[str, Json] = {"exposure": described, "why_not": ""}
    try:
        described["shares"] = describe_shares(exposure.split())
        call = exposure.example()
        # What the model itself says it takes, where it can be asked.
        body = call.body if call.body is not None else _ask_sample(exposure)
        told["request"] = {
            "method": call.method,
            "path": call.target,
            "headers": {**call.headers},
            "body": _write_body(body),
        }
    except KfAmbassadorError as error:
        # A model that does not answer is what the status is there for.
        described["words"] = str(error)
    return told


def _ask_sample(exposure: "Exposure") -> object:
    sample = exposure.sample()
    return None if sample is None else exposure.server.write_request(sample)


def _write_body(body: object) -> str | None:
    if body is None or isinstance(body, str):
        return body
    return None if isinstance(body, bytes) else json.dumps(body)


def _guess_request(gateway: "Gateway", mapping: str) -> Json:
    """A request that the route of a mapping takes, as far as its conditions tell."""
    if not mapping:
        return None
    named = (route for route in gateway.routes() if any(split.mapping == mapping for split in route.splits))
    route = next(named, None)
    if route is None:
        return None
    method = route.method if route.method.isalpha() else "GET"
    has_body = method in {"POST", "PUT", "PATCH"}
    return {
        "method": method,
        "path": _guess_path(route),
        "headers": _guess_headers(route),
        "body": _guess_body(route) if has_body else None,
    }


def _guess_path(route: "Route") -> str:
    if route.path.startswith(_REGEX):
        return "/"
    query = _fulfil(route.match.get("query_parameters"))
    path = route.path.removesuffix("*")
    return f"{path}?{'&'.join(f'{name}={value}' for name, value in query.items())}" if query else path


def _guess_headers(route: "Route") -> dict[str, Json]:
    host = route.match.get("host")
    named = {"Host": host} if isinstance(host, str) and "*" not in host else {}
    return {**named, **_fulfil(route.match.get("headers"))}


def _fulfil(conditions: Json) -> dict[str, str]:
    wanted = as_object(conditions)
    return {name: value if isinstance(value, str) else "true" for name, value in wanted.items()}


def _guess_body(route: "Route") -> str:
    """A body by what the path says the server behind speaks (KServe's protocols)."""
    rewritten = route.splits[0].path if route.splits else ""
    if rewritten.startswith("/v2/") or rewritten.endswith("/infer"):
        return json.dumps({"inputs": [{"name": "input", "shape": [1, 1], "datatype": "FP64", "data": [1.0]}]})
    return json.dumps({"instances": [1.0]}) if "/v1/models/" in rewritten else "{}"
