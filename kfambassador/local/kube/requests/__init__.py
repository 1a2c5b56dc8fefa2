"""What was asked, read: options, queries, bodies and the language of the answer.

Nothing here acts on it. Pure.
"""
