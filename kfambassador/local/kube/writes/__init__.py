"""What a request does to the store: objects are read, prepared, written, patched and deleted.

Nothing here knows HTTP, or whether the caller may.
"""
