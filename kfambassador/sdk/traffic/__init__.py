"""Who gets a model's requests, and how they fare: splits, effective shares, statistics, rollouts.

``splitting`` is pure: it makes publications out of publications, and never applies one. What Envoy counts is read by
whoever has a reader; nothing here opens a connection.
"""
