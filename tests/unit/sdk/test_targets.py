"""Where to publish: what was said beats the environment, and a kubeconfig counts only when it is named."""

from pathlib import Path

import pytest

from kfambassador.sdk import targets
from kfambassador.sdk.targets import InCluster, Kubeconfig, Local, Target, choose_target

POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


@pytest.mark.parametrize(
    ("asked", "environ", "chosen"),
    [
        (None, {}, Local()),
        (None, {"KUBECONFIG": "/home/me/company.kubeconfig"}, Local()),
        (None, {"KFAMBASSADOR_TARGET": "staging"}, Kubeconfig(context="staging")),
        (None, {"KFAMBASSADOR_TARGET": ""}, Local()),
        ("local", {"KFAMBASSADOR_TARGET": "staging"}, Local()),
        ("staging", {}, Kubeconfig(context="staging")),
        ("in-cluster", {}, InCluster()),
        (Kubeconfig(path=Path("k")), {}, Kubeconfig(path=Path("k"))),
    ],
)
def test_chooses(asked: Target | str | None, environ: dict[str, str], chosen: Target) -> None:
    assert choose_target(asked, environ) == chosen


@pytest.mark.parametrize(
    ("has_token", "environ", "chosen"),
    [
        (True, POD, InCluster()),
        (False, POD, Local()),
        (True, {}, Local()),
        (True, POD | {"KFAMBASSADOR_TARGET": "local"}, Local()),
    ],
)
def test_a_pod_publishes_to_its_own_cluster(
    has_token: bool, environ: dict[str, str], chosen: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    monkeypatch.setattr(targets, "_SERVICE_ACCOUNT_TOKEN", token)
    if has_token:
        token.write_text("secret")
    assert choose_target(None, environ) == chosen
