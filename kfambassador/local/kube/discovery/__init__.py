"""What the API tells of itself: its kinds, OpenAPI, and whether the server is well.

Nothing here reads an object of anybody's.
"""
