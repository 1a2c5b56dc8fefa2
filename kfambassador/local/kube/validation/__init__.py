"""Rules of single kinds, beyond their schemas: what a cluster refuses, fills in and says of Services, Pods and others.

Nothing here stores anything or knows who asks.
"""
