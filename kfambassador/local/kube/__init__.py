"""An embedded Kubernetes API server, for laptops and tests.

It answers the official client, kubectl and other clients as a cluster would, over SQLite, on loopback, by TLS only. It
knows nothing of Ambassador, Envoy or routes, and imports nothing of this project but errors and names, so that it
could be published alone. Where a real API server answers otherwise, this one is wrong.

A request passes through these floors, each of which knows only those below it::

    server                    a port, a thread, a token, a state directory
    serving                   connections, TLS, HTTP; what a path leads to; errors as Status
    pods, discovery           connections to a Pod and words about Pods; the API about itself, and whether it is well
    answers                   one request: get, list, create, ...; a watch; a scale; tables
    cluster                   all parts below, joined
    access                    who asks, and whether they may
    writes                    what a request does to the store
    requests, registry        what was asked; which kinds there are, and what a path means
    store                     objects, versions, history; who waits for changes
    validation                rules of single kinds
    kinds                     what a kind is, and the API's errors that name it         (pure)
    schemas                   documents held against schemas                            (pure)
    documents                 JSON objects and the faults found in them                 (pure)

What a cluster does and this one does not: conversion webhooks are not called, an object is shown in every version as it
is stored. Rules in CEL are evaluated where the extra ``cel`` is installed, without the schema's types: a field that
a rule misspells is found out by the first object, and a rule that takes more than some ten thousand steps refuses the
object. Not evaluated are rules that speak of times or durations, of ``optionalOldSelf``, or of what CEL's runtime for
Python lacks (``cel.bind``, macros of two variables, ``indexOf`` of lists). A definition that asks for any of this is
accepted, with a warning that says so.

A new built-in kind is an entry in :mod:`.registry.builtin` and its message in a table of ``api/``, which
:mod:`.schemas.messages` explains.
"""
