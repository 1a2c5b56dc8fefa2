"""Connections that turn into another protocol, such as WebSockets."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from kfambassador.attributes.base import Attributes, RouteDraft, split_commas


class Upgrades(Attributes, frozen=True):
    """Connections that turn into another protocol, such as WebSockets (Ambassador, "WebSockets", "allow_upgrade")."""

    use_websocket: Annotated[bool, Field(description="The same as allow_upgrade: [websocket].")] = False
    allow_upgrade: Annotated[
        tuple[str, ...],
        BeforeValidator(split_commas),
        Field(description="Protocols a client may change to, such as websocket or spdy/3.1; one, or a list."),
    ] = ()

    def on_route(self, draft: RouteDraft) -> None:
        """Let each protocol through, once: Envoy refuses a name that comes twice, in whatever case."""
        if not (self.use_websocket or self.allow_upgrade):
            return
        names = [*(("websocket",) if self.use_websocket else ()), *self.allow_upgrade]
        for name in dict.fromkeys(name.lower() for name in names):
            draft.action.upgrade_configs.add(upgrade_type=name)
