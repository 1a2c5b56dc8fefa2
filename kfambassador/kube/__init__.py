"""The cluster's side: listing, watching and writing Kubernetes objects, and the store of what was seen.

The official client enters by one door, ``kube.client``. Nothing here decides what is routed.
"""
