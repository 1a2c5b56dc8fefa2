"""An embedded Kubernetes API server, for laptops and tests.

It answers the official client, kubectl and other clients as a cluster would, over SQLite, on loopback. It knows nothing
of Ambassador, Envoy or routes, and imports nothing of this project but errors and names, so that it could be
published alone. Where a real API server answers otherwise, this one is wrong.

A write passes through these floors, each of which knows only those below::

    server                        a port, a thread, a token, a state directory
    web                           who may ask; errors as Status
    verbs, streams                one request: get, list, create, ...; a watch
    views, discovery, openapi     what is answered
    cluster                       all parts below, joined
    writing, deletion, reading    what a request does to the store
    preparation                   pruning, defaults, admission, validation
    ownership, patches, strategic how changes merge                                     (pure)
    catalog, builtin, definitions which kinds there are                                 (pure)
    services, admission           rules of single kinds                                 (pure)
    kinds, schema, structure      what a kind is, and documents held against it         (pure)
    watching, storage             who waits for changes; objects, versions, history
    documents, faults, status     JSON objects, faults of fields, the API's errors      (pure)

A new built-in kind is an entry in :mod:`.builtin` and its shape in :mod:`.shapes`.
"""
