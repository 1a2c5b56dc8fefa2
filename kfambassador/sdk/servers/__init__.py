"""Model servers: the paths each answers, the shape of its requests and answers, and when it is well.

A server knows nothing of Kubernetes or of gateways, and asks nobody anything. Its routes are safe by segment: a
model's never take a request meant for another whose name merely begins alike. What manages a server (loading models,
changing its settings) is never published.
"""
