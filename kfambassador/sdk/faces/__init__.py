"""How the SDK's objects look in a notebook: HTML from the templates beside this file.

Nothing here asks a gateway or a cluster, and no script is ever written. Every value is escaped by the one function that
fills a template; what is shown is what the object's one-line form may say, so no secret. Objects know their faces; no
face imports an object's module, except to have its type checked.
"""
