"""What a CustomResourceDefinition must be like, beside its schema."""

import pytest

from tests.cluster.raw_api import Object, RawApi
from tests.cluster.test_definitions import definition
from tests.cluster.things import DEFINITIONS, changed

COLUMN = {"name": "C", "type": "string", "jsonPath": ".spec.c"}
WEBHOOK = {"clientConfig": {"url": "https://example.com"}, "conversionReviewVersions": ["v1"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spec.versions.1.name": "v1beta1"}, "must contain unique version names"),
        ({"spec.versions.0.name": "1.0"}, 'spec.versions[0].name: Invalid value: "1.0": a DNS-1035 label must consist'),
        ({"spec.names.plural": "Routes"}, 'spec.names.plural: Invalid value: "Routes": a DNS-1035 label must consist'),
        ({"spec.names.listKind": "Route"}, "kind and listKind may not be the same"),
        ({"spec.names.shortNames": ["a b"]}, 'spec.names.shortNames[0]: Invalid value: "a b"'),
        ({"spec.group": "alone", "metadata.name": "routes.alone"}, "should be a domain with at least one dot"),
        (
            {"spec.versions.0.additionalPrinterColumns": [COLUMN | {"type": "foo"}]},
            'additionalPrinterColumns[0].type: Invalid value: "foo": must be one of boolean,date,integer,number,string',
        ),
        (
            {"spec.versions.0.additionalPrinterColumns": [COLUMN | {"format": "foo"}]},
            'spec.versions[0].additionalPrinterColumns[0].format: Invalid value: "foo": must be one of ',
        ),
        (
            {"spec.versions.0.additionalPrinterColumns": [COLUMN | {"jsonPath": "spec.c"}]},
            "must be a simple json path starting with .",
        ),
        (
            {"spec.versions.0.subresources": {"scale": {"specReplicasPath": ".spec.n"}}},
            "spec.versions[0].subresources.scale.statusReplicasPath: Required value",
        ),
        (
            {"spec.versions.0.subresources": {"scale": {"specReplicasPath": "x", "statusReplicasPath": ".spec.n"}}},
            'scale.statusReplicasPath: Invalid value: ".spec.n": should be a json path under .status',
        ),
        ({"spec.conversion": {"strategy": "Odd"}}, 'spec.conversion.strategy: Unsupported value: "Odd"'),
        ({"spec.conversion": {"strategy": "Webhook"}}, "Required value: required when strategy is set to Webhook"),
        ({"spec.conversion": {"webhook": WEBHOOK}}, "should not be set when strategy is not set to Webhook"),
        ({"spec.preserveUnknownFields": True}, "spec.preserveUnknownFields: Invalid value: true: cannot set to true"),
        ({"spec.versions.0.deprecationWarning": "old"}, "can only be set for deprecated versions"),
        (
            {"spec.versions.0.selectableFields": [{"jsonPath": ".spec.headers"}]},
            "must point to a field of type string, boolean or integer",
        ),
        ({"spec.versions.0.selectableFields": [{"jsonPath": ".spec.nope"}]}, "is an invalid path"),
        (
            {"spec.group": "x.k8s.io", "metadata.name": "routes.x.k8s.io"},
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval",
        ),
    ],
    ids=str,
)
def test_a_definition_has_rules(api: RawApi, namespace: str, change: Object, message: str) -> None:
    answer = api.create(DEFINITIONS, changed(definition(f"{namespace}.example.com"), change))
    assert (answer.code, answer.reason) == (422, "Invalid")
    assert message in answer.message
