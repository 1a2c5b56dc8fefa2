"""Objects, their versions and history, and who waits for changes; what of it lasts in the state directory.

Nothing here knows what an object means.
"""
