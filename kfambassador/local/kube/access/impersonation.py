"""Impersonation: a request that asks to be judged as somebody else's (Kubernetes, "User impersonation"). Pure.

``kubectl --as`` asks for it; it is how somebody who may do everything finds out what another may do.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias
from urllib.parse import unquote

from kfambassador.local.kube.documents.identity import AUTHENTICATED, User, account_groups, split_account_name
from kfambassador.local.kube.kinds import status
from kfambassador.local.kube.kinds.rules import Asked

#: The values of a request's headers, by their names in lower case.
Headers: TypeAlias = Mapping[str, Sequence[str]]

_PREFIX: Final = "impersonate-"
_EXTRA: Final = "impersonate-extra-"
_VERB: Final = "impersonate"
_GROUP: Final = "authentication.k8s.io"


def impersonate(headers: Headers, demand: Callable[[Asked], None]) -> User | None:
    """Find whom a request asks to be taken for.

    Args:
        headers: The request's headers, by their names in lower case.
        demand: Sees to it that the caller may do something.

    Returns:
        The other user, None when it asks for nothing of the kind.

    Raises:
        StatusError: When the caller may not, or does not say for whom.
    """
    if not any(name.startswith(_PREFIX) for name in headers):
        return None
    name = next(iter(headers.get("impersonate-user", ())), "")
    groups = tuple(headers.get("impersonate-group", ()))
    uid, extra = next(iter(headers.get("impersonate-uid", ())), ""), _read_extra(headers)
    if not name:
        raise status.bad_request("the request asks for groups, a uid or extra without impersonating a user")
    for asked in _list_asked(name, groups, uid, extra):
        demand(asked)
    account = split_account_name(name)
    if account and not groups:
        groups = account_groups(account[0])
    return User(name, tuple(dict.fromkeys((*groups, AUTHENTICATED))), uid, extra)


def _list_asked(name: str, groups: tuple[str, ...], uid: str, extra: dict[str, tuple[str, ...]]) -> Iterator[Asked]:
    account = split_account_name(name)
    if account:
        yield Asked(_VERB, "", "serviceaccounts", "", *account)
    else:
        yield Asked(_VERB, "", "users", name=name)
    yield from (Asked(_VERB, "", "groups", name=group) for group in groups)
    if uid:
        yield Asked(_VERB, _GROUP, "uids", name=uid)
    for key, values in extra.items():
        yield from (Asked(_VERB, _GROUP, "userextras", key, name=value) for value in values)


def _read_extra(headers: Headers) -> dict[str, tuple[str, ...]]:
    return {
        unquote(header.removeprefix(_EXTRA)): tuple(values)
        for header, values in headers.items()
        if header.startswith(_EXTRA)
    }
