"""What holds for all tests."""

import pytest

_LONGEST = 60


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a case by its argument where its value is a page: keys and certificates are new in every process.

    Workers must agree on what the tests are called.
    """
    if isinstance(val, str | bytes) and len(val) > _LONGEST:
        return argname
    return None
