"""An embedded Kubernetes API server, for laptops and tests.

It answers the official client, kubectl and other clients as a cluster would, over SQLite, on loopback. It knows nothing
of Ambassador, Envoy or routes, and imports nothing of this project but errors and names, so that it could be
published alone.
"""
