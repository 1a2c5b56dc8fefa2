"""Kubernetes bearer tokens as the read API's guard: the cluster says whose they are, and what those may read.

Whoever may list Mappings in a namespace sees what is of that namespace; whoever may list them in all sees all. Nothing
is decided here, and where the cluster cannot be asked nobody is let in who was not let in a moment ago.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from kfambassador.controller.access import FORBIDDEN, UNAUTHORIZED, UNAVAILABLE, Refused
from kfambassador.controller.memory import Memory
from kfambassador.controller.sight import OWNER, Sight
from kfambassador.errors import ApiError, Forbidden
from kfambassador.kube.client import KubeClient, Manifest
from kfambassador.kube.kinds import MAPPING, SUBJECT_ACCESS_REVIEW, TOKEN_REVIEW
from kfambassador.kube.permissions import PUBLISHER, Denial, advise
from kfambassador.resources.fields import as_object

_log = logging.getLogger(__name__)

#: What is asked for when all namespaces are meant.
EVERYWHERE: Final = ""

_ACCOUNT: Final = "system:serviceaccount:"
# What of a TokenReview's user a SubjectAccessReview asks back.
_ATTRIBUTES: Final = ("groups", "uid", "extra")
_UNKNOWN: Final = "the cluster does not know this bearer token: it has expired, was withdrawn or is another cluster's"
_LIST: Final = f"list {MAPPING.plural}.{MAPPING.group}"


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """How tokens are reviewed.

    Attributes:
        remembered: Seconds for which what the cluster said is believed, whether it said yes or no.
        parallel: So many questions are asked at a time.
        patience: Seconds without a byte after which the cluster is taken to be away.
    """

    remembered: float = 10.0
    parallel: int = 8
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class Person:
    """Whose a token is.

    Attributes:
        name: The user name.
        attributes: Groups and what else the cluster knows them by.
    """

    name: str
    attributes: Manifest = field(default_factory=dict, repr=False)

    @property
    def home(self) -> str:
        """The namespace of a service account; "" for anybody else."""
        return self.name.removeprefix(_ACCOUNT).partition(":")[0] if self.name.startswith(_ACCOUNT) else ""


class _Question(NamedTuple):
    token: bytes
    namespace: str


class ClusterGuard:
    """Lets those see a namespace who may list its Mappings.

    Args:
        client: The cluster; the guard asks by connections of its own.
        settings: How.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        client: KubeClient,
        settings: ReviewSettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        settings = settings or ReviewSettings()
        self._client = client.clone(read_timeout=settings.patience)
        # Threads of their own: a cluster that does not answer must keep nobody from compiling.
        self._threads = ThreadPoolExecutor(settings.parallel, thread_name_prefix="kfa-review")
        self._people: Memory[bytes, Person | None] = Memory(settings.remembered, clock=clock)
        self._rights: Memory[_Question, bool] = Memory(settings.remembered, clock=clock)
        # Tokens are remembered by a hash that says nothing to whoever finds it.
        self._salt = os.urandom(32)
        self._told = ""

    async def admit(self, token: str, among: Collection[str], *, needed: Collection[str] = ()) -> Sight:
        """Ask the cluster; see :meth:`~kfambassador.controller.access.Guard.admit`."""
        if not token:
            words = "a bearer token of the cluster is needed, such as a service account's (Authorization: Bearer ...)"
            raise Refused(UNAUTHORIZED, words)
        if not (token.isascii() and token.isprintable()):
            raise Refused(UNAUTHORIZED, _UNKNOWN)
        try:
            return await self._judge(token, among, needed)
        except ApiError as error:
            raise Refused(UNAVAILABLE, self._explain(error, token)) from None

    def close(self) -> None:
        """Let go of threads and connections; what is being asked fails."""
        self._client.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _judge(self, token: str, among: Collection[str], needed: Collection[str]) -> Sight:
        key = blake2b(token.encode(), key=self._salt, digest_size=32).digest()
        person = await self._people.recall(key, lambda _key: self._identify(token))
        if person is None:
            raise Refused(UNAUTHORIZED, _UNKNOWN)
        if await self._may_list(key, person, EVERYWHERE):
            return OWNER
        asked = sorted({*among, *needed, *(() if needed or not person.home else (person.home,))})
        allowed = await asyncio.gather(*(self._may_list(key, person, namespace) for namespace in asked))
        seen = frozenset(namespace for namespace, allows in zip(asked, allowed, strict=True) if allows)
        _check(person, seen, needed)
        return Sight(seen)

    async def _may_list(self, key: bytes, person: Person, namespace: str) -> bool:
        return await self._rights.recall(_Question(key, namespace), lambda asked: self._allows(person, asked.namespace))

    async def _identify(self, token: str) -> Person | None:
        status = await self._ask(
            {"apiVersion": TOKEN_REVIEW.api_version, "kind": TOKEN_REVIEW.kind, "spec": {"token": token}}
        )
        user = as_object(status.get("user"))
        name = user.get("username")
        if status.get("authenticated") is not True or not isinstance(name, str) or not name:
            return None
        return Person(name, {each: user[each] for each in _ATTRIBUTES if user.get(each)})

    async def _allows(self, person: Person, namespace: str) -> bool:
        wanted = {"verb": "list", "group": MAPPING.group, "resource": MAPPING.plural}
        if namespace != EVERYWHERE:
            wanted["namespace"] = namespace
        spec = {**person.attributes, "user": person.name, "resourceAttributes": wanted}
        review = {"apiVersion": SUBJECT_ACCESS_REVIEW.api_version, "kind": SUBJECT_ACCESS_REVIEW.kind, "spec": spec}
        status = await self._ask(review)
        return status.get("allowed") is True and status.get("denied") is not True

    async def _ask(self, review: Manifest) -> Manifest:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._client.create, review)
        self._told = ""
        return dict(as_object(answer.get("status")))

    def _explain(self, error: ApiError, token: str) -> str:
        """Say why nobody can be let in: in the log with the cluster's own words, which are not everybody's to read."""
        words = str(error).replace(token, "...")
        if words != self._told:
            self._told = words
            _log.warning("Tokens cannot be reviewed: %s", words)
        if isinstance(error, Forbidden):
            return (
                "the gateway itself may not review tokens; its own role must allow it to create "
                "tokenreviews.authentication.k8s.io and subjectaccessreviews.authorization.k8s.io"
            )
        return "the gateway cannot ask the cluster who you are and what you may read; try again in a while"


def _check(person: Person, seen: frozenset[str], needed: Collection[str]) -> None:
    """Refuse whoever misses what is needed, or sees nothing at all."""
    missing = sorted(set(needed) - seen)
    if missing:
        raise Refused(FORBIDDEN, advise(Denial(person.name, "list", MAPPING.plural, MAPPING.group, missing[0])))
    if not seen:
        words = (
            f"{person.name} may {_LIST} in none of the namespaces that have routes. ClusterRole {PUBLISHER.name} has "
            "the permission, in the namespaces it is bound in; of one that has no routes yet, ask with namespace=NAME"
        )
        raise Refused(FORBIDDEN, words)
