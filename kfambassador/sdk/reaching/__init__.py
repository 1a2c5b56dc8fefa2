"""The ways to a gateway: finding it in a cluster, tunnels, its read API, and its table compiled here without that.

A gateway that was only found is shown no Kubernetes token unless somebody named its namespace. Nothing here publishes.
"""
