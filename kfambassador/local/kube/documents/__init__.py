"""JSON objects as the API knows them: their metadata, labels, times and addresses, and the faults found in them.

Nothing here knows a kind, a schema or a request. Pure.
"""
