"""Authentication: whose token it is, the server's own or a ServiceAccount's."""

import hmac
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from kfambassador.local.kube.access.signing import TokenKey
from kfambassador.local.kube.documents.document import Document, metadata_of, name_of, namespace_of
from kfambassador.local.kube.documents.identity import ADMINISTRATOR, User, account_groups, account_name
from kfambassador.local.kube.store.storage import Key, Store
from kfambassador.local.kube.writes.deletion import is_going

#: Who signs the tokens, and for whom they are unless somebody says otherwise: the API itself.
ISSUER: Final = "https://kubernetes.default.svc.cluster.local"
AUDIENCES: Final = (ISSUER,)

#: What a token may be bound to besides its ServiceAccount, by kind.
BINDABLE: Final = {"Pod": "pods", "Secret": "secrets"}

_ACCOUNTS: Final = "serviceaccounts"
_EXTRA: Final = "authentication.kubernetes.io/"


class BadToken(Exception):
    """A token that lets nobody in; the message says why, for those who may review tokens."""


@dataclass(frozen=True, slots=True)
class Identified:
    """Whose token it is.

    Attributes:
        user: Whose.
        audiences: For whom it is, of those asked about.
    """

    user: User
    audiences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is bound to besides its ServiceAccount: with it the token ends.

    Attributes:
        kind: ``Pod`` or ``Secret``.
        name: Its name.
        uid: Its uid.
    """

    kind: str
    name: str
    uid: str


class Authentication:
    """Knows tokens, and makes those of ServiceAccounts.

    Args:
        store: Where the ServiceAccounts are.
        administrator_token: The token of whoever may do everything.
        key: Signs the tokens of ServiceAccounts.
        clock: The time in seconds since 1970.
    """

    def __init__(self, store: Store, *, administrator_token: str, key: TokenKey, clock: Callable[[], float]) -> None:
        self._store = store
        self._administrator_token = administrator_token.encode()
        self._key = key
        self._clock = clock

    def identify(self, token: str, audiences: Sequence[str] = AUDIENCES) -> Identified:
        """Find whose token it is.

        Args:
            token: The token.
            audiences: For whom it must be: for one of them at least.

        Raises:
            BadToken: When it is nobody's, or no longer anybody's.
        """
        if hmac.compare_digest(token.encode(errors="surrogateescape"), self._administrator_token):
            return Identified(ADMINISTRATOR, _intersect(audiences, AUDIENCES))
        claims = self._key.read(token)
        if claims is None:
            raise BadToken("invalid bearer token")
        now = self._clock()
        # A cluster forgives clocks that differ by a minute; this server has one clock.
        if now >= claims["exp"]:
            raise BadToken("[invalid bearer token, service account token has expired]")
        if now < claims["nbf"]:
            raise BadToken("[invalid bearer token, service account token is not valid yet]")
        common = _intersect(audiences, claims["aud"])
        return Identified(self._find_account(claims), common)

    def issue(
        self, account: Document, *, seconds: int, audiences: Sequence[str] = AUDIENCES, bound: Bound | None = None
    ) -> tuple[str, float]:
        """Make a token of a ServiceAccount.

        Args:
            account: The ServiceAccount.
            seconds: For how long it is good.
            audiences: For whom it is.
            bound: What else it ends with.

        Returns:
            The token, and when it ends, in seconds since 1970.
        """
        now = int(self._clock())
        namespace, name = namespace_of(account), name_of(account)
        about: Document = {"namespace": namespace, "serviceaccount": {"name": name, "uid": metadata_of(account)["uid"]}}
        if bound:
            about[bound.kind.lower()] = {"name": bound.name, "uid": bound.uid}
        claims: Document = {
            "aud": list(audiences),
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": about,
            "nbf": now,
            "sub": account_name(namespace, name),
        }
        return self._key.sign(claims), float(claims["exp"])

    def _find_account(self, claims: Document) -> User:
        about = claims["kubernetes.io"]
        namespace, name, uid = about["namespace"], about["serviceaccount"]["name"], about["serviceaccount"]["uid"]
        record = self._store.get(Key(_ACCOUNTS, namespace, name))
        if record is None:
            raise BadToken(f'[invalid bearer token, serviceaccounts "{name}" not found]')
        if is_going(record.document):
            raise BadToken(f"[invalid bearer token, service account {namespace}/{name} has been deleted]")
        if (found := metadata_of(record.document)["uid"]) != uid:
            raise BadToken(f"[invalid bearer token, service account UID ({found}) does not match claim ({uid})]")
        extra = {f"{_EXTRA}credential-id": (f"JTI={claims['jti']}",)}
        for kind in BINDABLE:
            if bound := about.get(kind.lower()):
                self._check_bound(kind, namespace, bound)
        if pod := about.get("pod"):
            extra |= {f"{_EXTRA}pod-name": (pod["name"],), f"{_EXTRA}pod-uid": (pod["uid"],)}
        return User(account_name(namespace, name), account_groups(namespace), uid, extra)

    def _check_bound(self, kind: str, namespace: str, bound: Document) -> None:
        record = self._store.get(Key(BINDABLE[kind], namespace, bound["name"]))
        if record is None or is_going(record.document) or metadata_of(record.document)["uid"] != bound["uid"]:
            raise BadToken("[invalid bearer token, service account token has been invalidated]")


def _intersect(asked: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    common = tuple(audience for audience in asked if audience in offered)
    if not common:
        shown = " ".join(f'"{audience}"' for audience in offered)
        wanted = " ".join(f'"{audience}"' for audience in asked)
        message = f"[invalid bearer token, token audiences [{shown}] is invalid for the target audiences [{wanted}]]"
        raise BadToken(message)
    return common
