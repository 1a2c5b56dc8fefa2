"""What people write, typed: annotations and Kubernetes objects in, frozen models out.

Nothing here does I/O, knows protobuf or decides how requests are routed. A fault in what somebody wrote comes back as
a Problem with its place; it is never raised and never stops the reading of anything else.
"""
