"""Secrets that ask for a ServiceAccount's token."""

import base64

import pytest

from tests.cluster.raw_api import Object, RawApi

ACCOUNT = "kubernetes.io/service-account"


def _secret(account: str) -> Object:
    metadata = {"name": "key", "annotations": {f"{ACCOUNT}.name": account}}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": f"{ACCOUNT}-token"}


@pytest.mark.controllers
def test_a_secret_is_given_a_token_that_ends_with_it(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    api.create(path, _secret("default"))
    data = {key: base64.b64decode(text).decode() for key, text in api.get(f"{path}/key").object["data"].items()}
    assert data["namespace"] == namespace
    assert data["ca.crt"] == api.authority
    caller = RawApi(api.url, data["token"], api.authority)
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    assert caller.create(reviews, asked).object["status"]["userInfo"]["username"] == (
        f"system:serviceaccount:{namespace}:default"
    )
    api.delete(f"{path}/key")
    assert caller.create(reviews, asked).code == 401
    caller.close()


def test_a_secret_of_an_account_that_is_not_there_has_no_token(api: RawApi, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/secrets"
    api.create(path, _secret("nobody"))
    assert "token" not in api.get(f"{path}/key").object.get("data", {})
