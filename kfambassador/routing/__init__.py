"""The routing table and the only place that decides what is in it.

Pure functions from a ResourceSet to a RoutingTable. Nothing here does I/O, reads a clock, logs, keeps state between
calls other than memos of pure functions, or knows that Envoy exists as a protocol.
"""
