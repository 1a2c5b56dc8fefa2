"""What each step does: plain functions over the SDK, which read and write files by their paths.

Nothing here knows kfp, draws by itself (reports are made of the SDK's faces) or keeps anything: a step that is run a
second time finds by the cluster alone what is left to do.
"""
