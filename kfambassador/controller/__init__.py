"""The loop that turns what was seen into what is served, and tells what it did.

The floors below are pure or do one thing; here they are joined. Nothing here parses, routes or speaks protobuf itself.
"""
