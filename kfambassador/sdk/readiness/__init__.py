"""Whether what is published answers, what is missing, and why; and telling so while somebody waits.

It only looks: nothing here changes an object, but for taking a publication down.
"""
