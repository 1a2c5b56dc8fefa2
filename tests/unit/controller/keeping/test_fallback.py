"""When what an earlier run kept is served."""

import asyncio
from datetime import UTC, datetime

import pytest

from kfambassador.controller.keeping import fallback as module
from kfambassador.controller.keeping.fallback import Fallback
from kfambassador.controller.keeping.keeper import Kept
from kfambassador.envoy.snapshot import EARLIER, Snapshot

KEPT = Kept(Snapshot({}, generation=EARLIER), datetime(2026, 1, 1, tzinfo=UTC))


def test_it_is_served_once_and_told_loudly_with_its_age(caplog: pytest.LogCaptureFixture) -> None:
    published: list[Snapshot] = []
    fallback = Fallback(KEPT, published.append)
    for _ in range(3):
        fallback.use("connection refused")
    assert published == [KEPT.snapshot]
    assert fallback.is_used
    [record] = caplog.records
    assert record.levelname == "ERROR"
    assert "as of 2026-01-01T00:00:00+00:00" in record.getMessage()
    assert record.getMessage().endswith("; connection refused")
    fallback.end()
    assert [fallback.is_used] == [False]
    assert caplog.records[-1].getMessage().startswith("The cluster was read")


def test_once_the_cluster_was_read_it_is_never_served() -> None:
    published: list[Snapshot] = []
    fallback = Fallback(KEPT, published.append)
    fallback.end()
    fallback.use("connection refused")
    assert published == []


def test_without_anything_kept_nothing_is_served_and_nothing_said(caplog: pytest.LogCaptureFixture) -> None:
    published: list[Snapshot] = []
    fallback = Fallback(None, published.append)
    fallback.use("connection refused")
    fallback.end()
    assert (published, caplog.text) == ([], "")


def test_a_cluster_that_says_nothing_at_all_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.0)

    async def wait() -> Snapshot:
        published: asyncio.Future[Snapshot] = asyncio.get_running_loop().create_future()
        Fallback(KEPT, published.set_result).start()
        return await asyncio.wait_for(published, 30)

    assert asyncio.run(wait()) is KEPT.snapshot
