"""What is asked of a single Pod: connections to its ports, and words for what only a cluster that runs Pods can do.

Nothing here runs a Pod.
"""
