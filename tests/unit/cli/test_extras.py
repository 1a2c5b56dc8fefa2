"""Without the optional extras what needs none of them works, and what does says the pip command."""

import subprocess
import sys

BASE_ONLY = """
import sys
for name in ("aiohttp", "grpc", "envoy", "google.protobuf", "re2", "kfp", "ipywidgets", "anywidget", "jinja2",
             "prometheus_client", "pydantic_settings"):
    sys.modules[name] = None
from kfambassador.cli.app import main
main(sys.argv[1:])
"""
MAPPING = "{apiVersion: ambassador/v1, kind: Mapping, name: m, prefix: /m/, service: m}"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where only the package's base is installed."""
    command = [sys.executable, "-c", BASE_ONLY, *arguments]
    return subprocess.run(command, input=MAPPING, capture_output=True, text=True, check=False)


def test_files_are_judged_and_built() -> None:
    assert run("lint", "-").returncode == 0
    assert "prefix: /m/" in run("translate", "-").stdout
    assert run("explain", "GET", "/m/", "-f", "-").returncode == 0


def test_the_demo_says_what_to_install() -> None:
    done = run("demo")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("Install it: pip install 'kfambassador[local]'")


def test_envoys_words_say_what_to_install() -> None:
    done = run("translate", "-", "--output", "envoy")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("Install it: pip install 'kfambassador[gateway]'")


def test_a_controller_says_what_to_install() -> None:
    for arguments in ((), ("--help",)):
        done = run("controller", *arguments)
        assert done.returncode == 2
        assert done.stderr.strip().endswith("Install it: pip install 'kfambassador[gateway]'")
