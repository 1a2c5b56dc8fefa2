"""Putting the gateway into a cluster, and taking it out again.

What is put there stands in ``deploy`` and nowhere here: files are read, placed, applied and waited for. Nothing is
taken over from somebody else unasked, and nobody's Mappings are ever deleted without a word.
"""
