"""Requests over HTTP: connections, credentials, retries, answers at once or in pieces, and what they mean.

The one room that knows ``requests``. It knows nothing of Kubernetes or of publications, follows no redirect, keeps no
cookie, and shows a secret to nobody but the origin it is for.
"""
