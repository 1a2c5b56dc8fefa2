"""The token a cluster knows its caller by: shown where it must be, seen nowhere else."""

import pickle

import pytest

from kfambassador.kube.client import KubeClient
from kfambassador.kube.entrances import TokenEntrance
from kfambassador.sdk.reaching.ways import KubernetesToken, Said

SECRET = "canary-token"


@pytest.fixture
def token() -> KubernetesToken:
    return KubernetesToken(KubeClient.connect("http://127.0.0.1:1", token=SECRET))


def test_it_is_shown_as_kubernetes_is_shown_it(token: KubernetesToken) -> None:
    assert token.headers() == {"Authorization": f"Bearer {SECRET}"}


def test_it_is_asked_for_each_time_because_it_is_renewed(token: KubernetesToken) -> None:
    token._client._entrance = TokenEntrance("http://127.0.0.1:1", "newer")
    assert token.headers() == {"Authorization": "Bearer newer"}


def test_it_is_seen_nowhere(token: KubernetesToken) -> None:
    assert SECRET not in repr(token)
    assert SECRET not in " ".join(token.curl_words())
    assert SECRET not in repr(Said(url="http://h", diagnostics_token=SECRET))
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(token)
