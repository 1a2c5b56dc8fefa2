"""One question to the read API: who asks it, and what they may be told."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final

from aiohttp import web

from kfambassador.controller.access import FORBIDDEN, Guard, Refused, read_token
from kfambassador.controller.envoy_view import read_envoy
from kfambassador.controller.loop import Controller
from kfambassador.controller.overview import Seen
from kfambassador.controller.route_texts import RouteTexts
from kfambassador.controller.settings import ControllerSettings
from kfambassador.controller.sight import Sight, find_shared_clusters, list_namespaces, narrow_work
from kfambassador.controller.state import Work
from kfambassador.kube.kinds import MAPPING

#: So many different sights of the newest generation are remembered.
_MOST_SIGHTS: Final = 64


class Narrowed:
    """Remembers what was left of the newest generation for whom."""

    def __init__(self) -> None:
        self._of: Work | None = None
        self._known: dict[frozenset[str] | None, Work] = {}

    async def find(self, work: Work, sight: Sight) -> Work:
        """Give what somebody may see of a generation."""
        if sight.sees_all:
            return work
        if self._of is not work or len(self._known) >= _MOST_SIGHTS:
            self._of, self._known = work, {}
        found = self._known.get(sight.namespaces)
        if found is None:
            found = await asyncio.to_thread(narrow_work, work, sight)
            if self._of is work:
                self._known[sight.namespaces] = found
        return found


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers are made from.

    Attributes:
        controller: Whose work it is.
        settings: How it runs.
        guard: Who may ask.
        texts: Routes that are written already.
        narrowed: What is left for whom.
    """

    controller: Controller
    settings: ControllerSettings
    guard: Guard
    texts: RouteTexts = field(default_factory=RouteTexts)
    narrowed: Narrowed = field(default_factory=Narrowed)

    async def receive(self, request: web.Request, *, token: str | None = None) -> "Inquiry":
        """Find out who asks, and what they may see of what they ask about.

        With ``namespace=NAME``, which may be repeated, they ask about these namespaces only.

        Args:
            request: What they ask.
            token: The token they gave; None reads the bearer's.

        Raises:
            Refused: They may not ask.
        """
        token = read_token(request.headers.get("Authorization", "")) if token is None else token
        named = request.query.getall("namespace", [])
        if "namespace" in request.match_info:
            named = [request.match_info["namespace"]]
        among = named or list_namespaces(self.controller.work)
        sight = await self.guard.admit(token, among, needed=named)
        if named and "namespace" not in request.match_info:
            sight = sight.narrowed_to(named)
        return Inquiry(self, request, token, sight)


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question of somebody who was let in.

    Attributes:
        desk: What it is answered from.
        request: The question.
        token: The bearer token it came with.
        sight: What they may see.
    """

    desk: Desk
    request: web.Request
    token: str = field(repr=False)
    sight: Sight

    async def work(self) -> Work:
        """What they may see of the newest generation."""
        return await self.desk.narrowed.find(self.desk.controller.work, self.sight)

    async def seen(self) -> Seen:
        """What they may see of everything there is."""
        controller, settings = self.desk.controller, self.desk.settings
        envoy = await read_envoy(settings.admin_socket)
        whole = controller.work
        work = await self.desk.narrowed.find(whole, self.sight)
        return Seen(
            work=work,
            settings=settings,
            history=controller.history,
            served=controller.served,
            nodes=controller.nodes(),
            lost={kind.plural: reason for kind, reason in controller.store.lost.items()},
            envoy=envoy,
            shared=await asyncio.to_thread(find_shared_clusters, whole.compiled.table, self.sight),
        )

    async def widened(self, namespaces: Collection[str], *, needed: Collection[str]) -> "Inquiry":
        """The same question once more, about these namespaces as well: rights may have been withdrawn meanwhile.

        Raises:
            Refused: They may no longer ask.
        """
        sight = await self.desk.guard.admit(self.token, {*namespaces, *needed}, needed=needed)
        return replace(self, sight=sight)

    def require_owner(self, what: str) -> None:
        """Refuse everybody but the gateway's owner.

        Args:
            what: What it is that is theirs, as the beginning of a sentence.

        Raises:
            Refused: They are not.
        """
        if not self.sight.is_owner:
            where = f"{MAPPING.plural}.{MAPPING.group} in all namespaces"
            raise Refused(FORBIDDEN, f"{what} is for the gateway's owner: who may list {where}")
