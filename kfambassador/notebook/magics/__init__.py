"""The magics of ``%load_ext kfambassador``: ``%routes``, ``%expose``, ``%explain``, ``%%mapping`` and ``%%predict``.

They read a line and call the SDK, as a terminal's commands do with the same words. Nothing is decided here that the SDK
would not decide, nothing is bound in a person's namespace, and nothing is written to a cluster unless ``%expose`` or
``--apply`` says so. What is worked out of words alone (``lines``, ``grammar``, ``drawing``, ``evaluating``) knows no
IPython.
"""
