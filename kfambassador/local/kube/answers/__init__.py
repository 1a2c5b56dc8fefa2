"""One request each: get, list, create and the other verbs, watches and scales; and how objects are shown.

Nothing here reads from a connection.
"""
