"""The option that rewrites what the guide shows instead of comparing with it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rewrite-guide", action="store_true", help="write what the code prints now into docs/guide")
