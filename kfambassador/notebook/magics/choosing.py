"""Which gateway a magic uses: the one in the person's namespace, or one that is connected to for all magics."""

import sys
from collections.abc import Iterator
from collections.abc import Mapping as Dict
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kfambassador.errors import ConfigurationError, NoGateway
from kfambassador.notebook.magics.lines import Said
from kfambassador.problems import suggest
from kfambassador.sdk.connecting import connect

if TYPE_CHECKING:
    from kfambassador.sdk.gateway import Gateway

#: The variable that is preferred where there are several.
_USUAL = "gateway"


class Chooser:
    """Chooses gateways, and keeps those that it had to connect to.

    Args:
        names: The person's namespace; nothing is ever bound there.
    """

    def __init__(self, names: Dict[str, object]) -> None:
        self._names = names
        self._connected: dict[str | None, Gateway] = {}
        self._told: Gateway | None = None

    @contextmanager
    def using(self, said: Said) -> "Iterator[Gateway]":
        """Choose the gateway that a line means, and say which it is where a person could wonder.

        Raises:
            ConfigurationError: There is no such variable, or several could be meant.
        """
        target = said.get("target")
        gateway = self.find(said)
        if gateway is None:
            gateway = self._connect(str(target) if target else None)
        elif gateway is not self._told and gateway is not self._names.get(_USUAL):
            _say(f"{gateway.place}: gateway at {gateway.url}")
        self._told = gateway
        try:
            yield gateway
        except NoGateway:
            # One that has gone for good is not asked again.
            self._forget(gateway)
            raise

    def find(self, said: Said | None = None) -> "Gateway | None":
        """The gateway that is there without connecting to any; None where there is none.

        Raises:
            ConfigurationError: There is no such variable, or several could be meant.
        """
        said = said or {}
        variable, target = said.get("gateway"), said.get("target")
        if variable and target:
            raise ConfigurationError("--gateway names a gateway that is there, --target one to connect to: give one")
        if target:
            return self._connected.get(str(target))
        bound = self.list_bound()
        if variable:
            return self._find_named(str(variable), bound)
        if _USUAL in bound:
            return bound[_USUAL]
        different = {id(gateway): gateway for gateway in bound.values()}
        if len(different) > 1:
            names = ", ".join(bound)
            raise ConfigurationError(f"There are several gateways: {names}. Say which is meant with --gateway VAR")
        return next(iter(different.values()), None) or self._connected.get(None)

    def list_bound(self) -> "dict[str, Gateway]":
        """The gateways in the namespace, by their variables."""
        module = sys.modules.get("kfambassador.sdk.gateway")
        if module is None:
            # Then nobody can hold one, and it takes long to import.
            return {}
        kind: type[Gateway] = module.Gateway
        # What begins with _ is IPython's: the last outputs.
        return {
            name: value
            for name, value in tuple(self._names.items())
            if isinstance(value, kind) and not name.startswith("_")
        }

    def _find_named(self, variable: str, bound: "Dict[str, Gateway]") -> "Gateway":
        if variable in bound:
            return bound[variable]
        if variable in self._names:
            raise ConfigurationError(
                f"--gateway: {variable} is no gateway, but {self._names[variable].__class__.__name__}"
            )
        near = suggest(variable, bound)
        raise ConfigurationError(f"--gateway: there is no variable {variable!r} that holds a gateway{near}")

    def _connect(self, target: str | None) -> "Gateway":
        gateway = self._connected[target] = connect(target)
        return gateway

    def _forget(self, gateway: "Gateway") -> None:
        # It is not closed: what a magic gave back may hold it still.
        self._connected = {target: known for target, known in self._connected.items() if known is not gateway}


def _say(words: str) -> None:
    sys.stderr.write(f"kfambassador: {words}\n")
