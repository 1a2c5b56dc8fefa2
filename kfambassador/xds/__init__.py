"""Serving snapshots to Envoy over the delta aggregated discovery protocol.

The session is a state machine without I/O or clock; the server moves bytes. Nothing here knows what a Mapping is.
"""
