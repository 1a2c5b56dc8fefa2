"""Shapes: the schemas of the built-in kinds, field by field."""

from typing import Final

from kfambassador.local.kube.documents import Document
from kfambassador.local.kube.schema import (
    BOOLEAN,
    INT_OR_STRING,
    INTEGER,
    STRING,
    array,
    atomic,
    default,
    keyed,
    open_record,
    record,
    table,
    unique,
)

_OPEN: Final = open_record()
_STRINGS: Final = array(STRING)

METADATA: Final = record(
    name=STRING,
    generateName=STRING,
    namespace=STRING,
    selfLink=STRING,
    uid=STRING,
    resourceVersion=STRING,
    generation=INTEGER,
    creationTimestamp=STRING,
    deletionTimestamp=STRING,
    deletionGracePeriodSeconds=INTEGER,
    labels=table(STRING),
    annotations=table(STRING),
    ownerReferences=keyed(
        atomic(
            record(
                required=("apiVersion", "kind", "name", "uid"),
                apiVersion=STRING,
                kind=STRING,
                name=STRING,
                uid=STRING,
                controller=BOOLEAN,
                blockOwnerDeletion=BOOLEAN,
            )
        ),
        "uid",
    ),
    finalizers=unique(STRING),
    managedFields=array(
        record(
            required=("manager", "operation", "apiVersion"),
            manager=STRING,
            operation=STRING,
            apiVersion=STRING,
            time=STRING,
            fieldsType=STRING,
            fieldsV1=_OPEN,
            subresource=STRING,
        )
    ),
)


def shape(**fields: Document) -> Document:
    """The schema of a kind: its own fields beside those every object has."""
    return record({"apiVersion": STRING, "kind": STRING, "metadata": METADATA} | fields)


_REFERENCE: Final = atomic(
    record(
        apiVersion=STRING,
        kind=STRING,
        namespace=STRING,
        name=STRING,
        uid=STRING,
        resourceVersion=STRING,
        fieldPath=STRING,
    )
)
_CONDITIONS: Final = keyed(_OPEN, "type")
_ADDRESS_PORT: Final = {"name": STRING, "port": INTEGER, "protocol": default(STRING, "TCP"), "appProtocol": STRING}
_SELECTOR: Final = atomic(record(matchLabels=table(STRING), matchExpressions=array(_OPEN)))

NAMESPACE: Final = shape(
    spec=record(finalizers=_STRINGS),
    status=record(phase=STRING, conditions=_CONDITIONS),
)

SERVICE: Final = shape(
    spec=record(
        type=default(STRING, "ClusterIP"),
        ports=keyed(
            record(
                name=STRING,
                port=INTEGER,
                protocol=default(STRING, "TCP"),
                appProtocol=STRING,
                targetPort=INT_OR_STRING,
                nodePort=INTEGER,
            ),
            "port",
            "protocol",
        ),
        selector=atomic(table(STRING)),
        clusterIP=STRING,
        clusterIPs=_STRINGS,
        externalIPs=_STRINGS,
        externalName=STRING,
        sessionAffinity=default(STRING, "None"),
        sessionAffinityConfig=record(clientIP=record(timeoutSeconds=INTEGER)),
        loadBalancerIP=STRING,
        loadBalancerClass=STRING,
        loadBalancerSourceRanges=_STRINGS,
        externalTrafficPolicy=STRING,
        internalTrafficPolicy=STRING,
        healthCheckNodePort=INTEGER,
        publishNotReadyAddresses=BOOLEAN,
        ipFamilies=_STRINGS,
        ipFamilyPolicy=STRING,
        allocateLoadBalancerNodePorts=BOOLEAN,
        trafficDistribution=STRING,
    ),
    status=record(loadBalancer=record(ingress=array(_OPEN)), conditions=_CONDITIONS),
)

_ENDPOINT_ADDRESSES: Final = array(record(ip=STRING, hostname=STRING, nodeName=STRING, targetRef=_REFERENCE))
ENDPOINTS: Final = shape(
    subsets=array(
        record(
            addresses=_ENDPOINT_ADDRESSES,
            notReadyAddresses=_ENDPOINT_ADDRESSES,
            ports=array(record(_ADDRESS_PORT)),
        )
    )
)

ENDPOINT_SLICE: Final = shape(
    addressType={"type": "string", "enum": ["FQDN", "IPv4", "IPv6"]},
    endpoints=array(
        record(
            required=("addresses",),
            addresses=unique(STRING),
            conditions=record(ready=BOOLEAN, serving=BOOLEAN, terminating=BOOLEAN),
            hostname=STRING,
            nodeName=STRING,
            zone=STRING,
            targetRef=_REFERENCE,
            deprecatedTopology=table(STRING),
            hints=_OPEN,
        )
    ),
    ports=array(record(_ADDRESS_PORT)),
) | {"required": ["addressType"]}

SECRET: Final = shape(type=default(STRING, "Opaque"), data=table(STRING), stringData=table(STRING), immutable=BOOLEAN)

CONFIG_MAP: Final = shape(data=table(STRING), binaryData=table(STRING), immutable=BOOLEAN)

EVENT: Final = shape(
    involvedObject=_REFERENCE,
    related=_REFERENCE,
    reason=STRING,
    message=STRING,
    type=STRING,
    source=record(component=STRING, host=STRING),
    firstTimestamp=STRING,
    lastTimestamp=STRING,
    eventTime=STRING | {"nullable": True},
    count=INTEGER,
    series=record(count=INTEGER, lastObservedTime=STRING),
    action=STRING,
    reportingComponent=STRING,
    reportingInstance=STRING,
)

SERVICE_ACCOUNT: Final = shape(
    secrets=keyed(_REFERENCE, "name"),
    imagePullSecrets=array(record(name=STRING)),
    automountServiceAccountToken=BOOLEAN,
)

LEASE: Final = shape(
    spec=record(
        holderIdentity=STRING,
        leaseDurationSeconds=INTEGER,
        acquireTime=STRING,
        renewTime=STRING,
        leaseTransitions=INTEGER,
        preferredHolder=STRING,
        strategy=STRING,
    )
)

_BACKEND: Final = record(
    service=record(required=("name",), name=STRING, port=record(name=STRING, number=INTEGER)), resource=_REFERENCE
)
INGRESS: Final = shape(
    spec=record(
        ingressClassName=STRING,
        defaultBackend=_BACKEND,
        tls=array(record(hosts=_STRINGS, secretName=STRING)),
        rules=array(
            record(
                host=STRING,
                http=record(
                    paths=array(
                        record(required=("backend", "pathType"), path=STRING, pathType=STRING, backend=_BACKEND)
                    )
                ),
            )
        ),
    ),
    status=record(loadBalancer=record(ingress=array(_OPEN))),
)

_CONTAINERS: Final = keyed(
    open_record(
        name=STRING,
        ports=keyed(_OPEN, "containerPort", "protocol"),
        env=keyed(_OPEN, "name"),
        volumeMounts=keyed(_OPEN, "mountPath"),
    ),
    "name",
)
_POD: Final = open_record(
    containers=_CONTAINERS, initContainers=_CONTAINERS, volumes=keyed(_OPEN, "name"), nodeSelector=atomic(table(STRING))
)
DEPLOYMENT: Final = shape(
    spec=open_record(replicas=default(INTEGER, 1), selector=_SELECTOR, template=record(metadata=METADATA, spec=_POD)),
    status=open_record(conditions=_CONDITIONS),
)

POD: Final = shape(
    spec=open_record(
        containers=_CONTAINERS,
        initContainers=_CONTAINERS,
        volumes=keyed(_OPEN, "name"),
        nodeSelector=atomic(table(STRING)),
        restartPolicy=default(STRING, "Always"),
        serviceAccountName=default(STRING, "default"),
    ),
    status=open_record(conditions=_CONDITIONS, podIP=STRING, phase=STRING),
)

_RULES: Final = array(
    record(
        required=("verbs",),
        verbs=_STRINGS,
        apiGroups=_STRINGS,
        resources=_STRINGS,
        resourceNames=_STRINGS,
        nonResourceURLs=_STRINGS,
    )
)
_REQUIREMENT: Final = record(required=("key", "operator"), key=STRING, operator=STRING, values=_STRINGS)
ROLE: Final = shape(rules=_RULES)
CLUSTER_ROLE: Final = shape(
    rules=_RULES,
    aggregationRule=record(
        clusterRoleSelectors=array(record(matchLabels=table(STRING), matchExpressions=array(_REQUIREMENT)))
    ),
)
BINDING: Final = shape(
    subjects=array(record(required=("kind", "name"), kind=STRING, apiGroup=STRING, name=STRING, namespace=STRING)),
    roleRef=atomic(record(required=("kind", "name"), apiGroup=STRING, kind=STRING, name=STRING)),
) | {"required": ["roleRef"]}

_USER: Final = record(username=STRING, uid=STRING, groups=_STRINGS, extra=table(_STRINGS))
TOKEN_REQUEST: Final = shape(
    spec=record(
        audiences=_STRINGS,
        expirationSeconds=default(INTEGER, 3600),
        boundObjectRef=record(apiVersion=STRING, kind=STRING, name=STRING, uid=STRING),
    ),
    status=record(token=STRING, expirationTimestamp=STRING),
)
TOKEN_REVIEW: Final = shape(
    spec=record(token=STRING, audiences=_STRINGS),
    status=record(authenticated=BOOLEAN, user=_USER, audiences=_STRINGS, error=STRING),
)
SELF_REVIEW: Final = shape(status=record(userInfo=_USER))

_ACCESS_ASKED: Final = {
    "resourceAttributes": record(
        namespace=STRING,
        verb=STRING,
        group=STRING,
        version=STRING,
        resource=STRING,
        subresource=STRING,
        name=STRING,
        fieldSelector=_OPEN,
        labelSelector=_OPEN,
    ),
    "nonResourceAttributes": record(path=STRING, verb=STRING),
}
_ACCESS_ANSWER: Final = record(allowed=BOOLEAN, denied=BOOLEAN, reason=STRING, evaluationError=STRING)
SELF_ACCESS_REVIEW: Final = shape(spec=record(_ACCESS_ASKED), status=_ACCESS_ANSWER)
ACCESS_REVIEW: Final = shape(
    spec=record(_ACCESS_ASKED, user=STRING, groups=_STRINGS, uid=STRING, extra=table(_STRINGS)),
    status=_ACCESS_ANSWER,
)
RULES_REVIEW: Final = shape(
    spec=record(namespace=STRING),
    status=record(
        resourceRules=array(_OPEN), nonResourceRules=array(_OPEN), incomplete=BOOLEAN, evaluationError=STRING
    ),
)

DEFINITION: Final = shape(
    spec=record(
        required=("group", "names", "scope", "versions"),
        group=STRING,
        scope={"type": "string", "enum": ["Cluster", "Namespaced"]},
        names=record(
            required=("kind", "plural"),
            kind=STRING,
            listKind=STRING,
            plural=STRING,
            singular=STRING,
            shortNames=_STRINGS,
            categories=_STRINGS,
        ),
        versions=array(
            record(
                required=("name", "served", "storage"),
                name=STRING,
                served=BOOLEAN,
                storage=BOOLEAN,
                deprecated=BOOLEAN,
                deprecationWarning=STRING,
                schema=record(openAPIV3Schema=_OPEN),
                subresources=record(status=_OPEN, scale=_OPEN),
                additionalPrinterColumns=array(
                    record(
                        required=("jsonPath", "name", "type"),
                        name=STRING,
                        type=STRING,
                        jsonPath=STRING,
                        description=STRING,
                        format=STRING,
                        priority=INTEGER,
                    )
                ),
                selectableFields=array(record(jsonPath=STRING)),
            )
        ),
        conversion=_OPEN,
        preserveUnknownFields=BOOLEAN,
    ),
    status=record(conditions=_CONDITIONS, acceptedNames=_OPEN, storedVersions=_STRINGS),
) | {"required": ["spec"]}
