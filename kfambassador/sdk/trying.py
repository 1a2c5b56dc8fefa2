"""One request tried out: sent once, and told what became of it and which route took it."""

from typing import Final

from kfambassador.sdk.access import Access
from kfambassador.sdk.calling.calls import Call, RouteTest

#: Bytes of an answer that are read: some answers never end, and a test is no download.
_MOST: Final = 10_000_000


def try_out(access: Access, call: Call, *, expect: int, timeout: float) -> RouteTest:
    """Send a request and tell what became of it, whatever the status.

    Args:
        access: The ways to the gateway.
        call: The request.
        expect: The status that counts as passed.
        timeout: Seconds after which it is given up. An answer that goes on for longer, or for more than 10 MB, is cut.

    Raises:
        RouteFailed: There was no answer at all.
    """
    # Asked once, because a person wants to see what becomes of one request.
    answer = call.send(access.http, access.url, timeout=timeout, retries=None, most=_MOST)
    won = access.reader.find_winner(call.method, call.target, call.headers)
    return RouteTest(
        path=call.target,
        answer=answer,
        expected=expect,
        mapping=", ".join(won.mappings),
        upstream_path=", ".join(dict.fromkeys(won.upstream_paths.values())),
        backend=", ".join(dict.fromkeys(split.service for split in won.winner.splits)) if won.winner else "",
    )
