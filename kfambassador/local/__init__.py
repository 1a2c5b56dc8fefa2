"""The laptop: the same controller and the same Envoy over an embedded Kubernetes API.

Local mode is no simulation. Nothing here may behave otherwise than a cluster would, except for who starts Envoy and
where the API server listens.
"""
