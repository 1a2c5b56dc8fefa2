"""What a route browser asks, answered by the SDK: the same for a widget's kernel and for JupyterLab's panel.

Questions come as data from a page and are not trusted: each is checked before anything is done. What is at fault is
raised in plain words and never with a stack trace; nothing here keeps anything.
"""
