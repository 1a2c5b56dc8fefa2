"""The package's face: what it promises is there, and costs nothing until it is used."""

import subprocess
import sys

import pytest

import kfambassador

HEAVY = ("kubernetes", "kfp", "grpc", "google.protobuf", "ipywidgets", "pydantic", "requests", "yaml", "rich")


@pytest.mark.parametrize("name", kfambassador.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(kfambassador, name) is not None
    assert name in dir(kfambassador)


def test_the_names_are_these() -> None:
    homes = [name for names in kfambassador._HOMES.values() for name in names]
    assert sorted([*homes, "__version__"]) == kfambassador.__all__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        kfambassador.conect  # type: ignore[attr-defined]  # noqa: B018 - looking it up is the test


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = f"import sys, kfambassador; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_sdk_loads_no_control_plane() -> None:
    script = (
        "import sys, kfambassador; kfambassador.connect; "
        "print(sorted(name for name in sys.modules if name.startswith(('kfambassador.controller', 'kfambassador.xds', "
        "'kfambassador.envoy', 'grpc', 'google.protobuf', 'aiohttp', 'kfp'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
