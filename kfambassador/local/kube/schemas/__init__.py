"""Documents held against schemas: fields, defaults, formats, expressions; and the fields of Kubernetes' own objects.

``api/`` holds those, a table a group; :mod:`.messages` explains them. Nothing here knows which kinds are served, or
what a single kind asks beyond its schema. Pure.
"""
