"""An operator as kopf's documentation begins with: it is told of objects of one kind, and says so in their status."""

from typing import Any

import kopf


@kopf.on.startup()
def settle(settings: Any, **_: Any) -> None:
    settings.posting.loggers = False  # no events of what is logged


@kopf.on.create("examples.kopf.test")
def create(spec: Any, body: Any, **_: Any) -> dict[str, str]:
    kopf.event(body, type="Normal", reason="Welcomed", message=f"It begins with {spec['field']}")
    return {"field": spec["field"]}


@kopf.on.update("examples.kopf.test", field="spec.field")
def update(old: str, new: str, patch: Any, **_: Any) -> None:
    patch.status["changed"] = f"{old} to {new}"


@kopf.on.delete("examples.kopf.test")
def delete(name: str, logger: Any, **_: Any) -> None:
    logger.info("farewell %s", name)
