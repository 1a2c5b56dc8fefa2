"""What holds for all tests."""

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    import kfambassador as kfa
    from kfambassador.local.models import ModelServer
    from kfambassador.local.stack import LocalStack

_LONGEST = 60

#: So many tests of one file, none of which starts a gateway, go to one worker together.
_MANY = 8


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let whoever has the time have more tried, and whoever has a cluster have it asked."""
    parser.addoption("--deep", action="store_true", help="try what is left to chance far longer, and anew each time")
    parser.addoption("--rewrite-pictures", action="store_true", help="put the pictures taken now into docs/images")
    told = "tests/cluster and tests/sdk: ask this cluster instead (for tests/sdk with the gateway installed)"
    parser.addoption("--kubeconfig", type=Path, help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Keep what Python compiled even where it may write nothing beside the source.

    The tests start hundreds of processes, each of which would compile all that it imports.
    """
    cache: pytest.Cache | None = getattr(config, "cache", None)
    if cache is not None and os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(cache.mkdir("bytecode"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Send the many quick tests of a file to one worker together.

    After each test pytest-xdist counts what is left of every group it ever gave away. A group for each of thousands of
    tests costs it more than most of them take. Slow ones stay apart: they come last, and both workers end together.
    """
    quick: defaultdict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        if not any(item.iter_markers("xdist_group")) and not any(item.iter_markers("e2e")):
            quick[item.path.stem].append(item)
    for name, found in quick.items():
        if len(found) >= _MANY:
            for item in found:
                item.add_marker(pytest.mark.xdist_group(name))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a case by its argument where its value is a page: keys and certificates are new in every process.

    Workers must agree on what the tests are called.
    """
    if isinstance(val, str | bytes) and len(val) > _LONGEST:
        return argname
    return None


# Most tests start nothing: what these need is imported by those that do.


@pytest.fixture(scope="module")
def stack() -> "Iterator[LocalStack]":
    """A whole laptop gateway, for one file's tests."""
    from kfambassador.local.stack import LocalStack

    with LocalStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def model() -> "Iterator[ModelServer]":
    """A model server with the model ``half_plus_two``, for one file's tests."""
    from kfambassador.local.models import ModelServer

    with ModelServer() as server:
        yield server


@pytest.fixture
def gateway(stack: "LocalStack") -> "Iterator[kfa.Gateway]":
    """A connection to the stack; what a test publishes is taken down after it."""
    import kfambassador as kfa

    with kfa.Gateway.at(stack.endpoint, quiet=True) as gateway:
        yield gateway
        for exposure in gateway.list_exposures():
            exposure.delete()


# Playwright keeps an event loop in the thread of the tests for as long as it runs, and others have loops of their own.
@pytest.fixture(scope="module")
def chromium() -> "Iterator[Browser]":
    """The machine's Chromium, for one file's tests."""
    from tests.browsers import running_chromium

    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go."""
    from tests.browsers import PICTURES

    return PICTURES if request.config.getoption("rewrite_pictures") else tmp_path_factory.mktemp("pictures")
