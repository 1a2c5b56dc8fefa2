"""Envoy as a program: told how to begin, watched over, asked, drained and ended.

It knows no cluster, no controller and no mapping, and nothing of what Envoy is told to serve.
"""
