"""A kind of one's own: Things, defined as a test needs them and gone with it."""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.raw_api import Answer, Object, RawApi

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_PATIENCE = 10.0  # seconds a cluster has for serving what was defined; here it is served at once


class Things:
    """Things of a test's namespace, in a group of their own."""

    def __init__(self, api: RawApi, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.group = f"{namespace}.example.com"
        self.definition_path = f"{DEFINITIONS}/things.{self.group}"
        self.path = f"/apis/{self.group}/v1/namespaces/{namespace}/things"

    @classmethod
    @contextmanager
    def lent(cls, api: RawApi, namespace: str) -> Iterator["Things"]:
        """Lend the name; whatever was defined by it goes at the end."""
        things = cls(api, namespace)
        yield things
        api.delete(things.definition_path)

    def definition(self, spec: object = None, **version: object) -> Object:
        """A definition in one version, with a schema of the specification, and with more said of the version."""
        schema: Object = {"type": "object"} if spec is None else {"type": "object", "properties": {"spec": spec}}
        only = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}} | version
        return {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"things.{self.group}"},
            "spec": {
                "group": self.group,
                "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing"},
                "versions": [only],
            },
        }

    def define(self, spec: object = None, **version: object) -> Answer:
        """Define them, and wait until they are served."""
        answer = self.api.create(DEFINITIONS, self.definition(spec, **version))
        assert answer.code == 201, answer.message
        self.wait()
        return answer

    def wait(self) -> None:
        """Wait until they are served."""
        end = time.monotonic() + _PATIENCE
        while self.api.get(self.path).code != 200:
            assert time.monotonic() < end, f"{self.path} is not served"
            time.sleep(0.05)

    def thing(self, name: str = "a", **spec: object) -> Object:
        """A Thing."""
        return {"apiVersion": f"{self.group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}

    def create(self, name: str = "a", **spec: object) -> Answer:
        """Create a Thing."""
        return self.api.create(self.path, self.thing(name, **spec))


def changed(whole: Object, change: Object) -> Object:
    """A definition in which a few fields of the specification, by their paths, have other values."""
    whole = copy.deepcopy(whole)
    for path, value in change.items():
        *steps, last = path.split(".")
        node: Any = whole
        for step in steps:
            node = node[int(step)] if step.isdigit() else node.setdefault(step, {})
        node[last] = value
    return whole
