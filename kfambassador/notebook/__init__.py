"""Notebooks: rich display, the route browser and magics.

Everything here draws; nothing here decides or keeps routes.
"""
