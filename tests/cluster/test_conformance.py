"""What is told of Kubernetes can be tried on any cluster: ``pytest tests/cluster --kubeconfig FILE``."""

import subprocess
import sys
from pathlib import Path

import pytest

from kfambassador.local.kube.server import KubeServer
from tests.cluster.raw_api import RawApi
from tests.cluster.servers import write_kubeconfig

pytestmark = pytest.mark.embedded

ROOT = Path(__file__).parents[2]


def test_the_suite_asks_the_cluster_of_a_kubeconfig(tmp_path: Path) -> None:
    with KubeServer() as server:
        write_kubeconfig(server, tmp_path / "config")
        api = RawApi(server.url, server.token, server.authority)
        before = int(api.get("/api/v1/namespaces").version)
        options = ["-q", "-p", "no:cacheprovider", "--kubeconfig", str(tmp_path / "config")]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, "tests/cluster/test_objects.py", "tests/cluster/test_guard.py"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        after = int(api.get("/api/v1/namespaces").version)
        api.close()
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    # What speaks of the embedded API alone is left out, and says so.
    assert "test_guard.py: speaks of what only the embedded API does" in done.stdout
    assert after > before
