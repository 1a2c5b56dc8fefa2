"""Connections, TLS and HTTP: what comes in is led to who answers it, and every error goes out as a Status.

Nothing here knows what a verb does.
"""
