"""An embedded Kubernetes API server, for laptops and tests.

It answers the official client, kubectl and other clients as a cluster would, over SQLite, on loopback. It knows nothing
of Ambassador, Envoy or routes, and imports nothing of this project but errors and names, so that it could be
published alone. Where a real API server answers otherwise, this one is wrong.

A write passes through these floors, each of which knows only those below::

    server                        a port, a thread, a token, a state directory
    web                           what a path means; errors as Status
    verbs, streams, portforward   one request: get, list, create, ...; a watch; connections to a pod
    reviews, token_requests       questions about callers and rights; tokens of ServiceAccounts
    views, discovery, openapi     what is answered
    guard                         who asks, and whether they may
    authentication, impersonation whose token it is; who wants to be taken for whom
    authorization, escalation     what roles allow; nobody gives what they do not have
    cluster                       all parts below, joined
    aggregation                   ClusterRoles made of others
    writing, deletion, reading    what a request does to the store
    preparation                   pruning, defaults, admission, validation
    ownership, patches, strategic how changes merge                                     (pure)
    catalog, builtin, definitions which kinds there are                                 (pure)
    services, admission, roles    rules of single kinds                                 (pure)
    default_roles                 the roles every cluster has                           (pure)
    asking, rules, identity       what is asked, what a rule allows, who somebody is    (pure)
    signing                       tokens one key signs                                  (pure)
    kinds, schema, structure      what a kind is, and documents held against it         (pure)
    watching, storage             who waits for changes; objects, versions, history
    documents, faults, status     JSON objects, faults of fields, the API's errors      (pure)

A new built-in kind is an entry in :mod:`.builtin` and its shape in :mod:`.shapes`.
"""
