"""Which kinds are served: the built-in ones, those that definitions bring, and what a path means.

Nothing here reads or writes their objects.
"""
