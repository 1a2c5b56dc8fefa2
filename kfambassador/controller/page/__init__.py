"""The diagnostics page: what the read API tells, drawn for a person who looks rather than reads.

It works without a script and holds none. Nothing is decided here and nothing is asked of the cluster; all that is shown
was narrowed to what its reader may see before it came here, and no secret is shown to anybody. A page of ten thousand
routes is made in a thread, so the controller's loop never waits for it.
"""
