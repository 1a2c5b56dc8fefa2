"""Telling the cluster what became of what people wrote: Mapping statuses and Events, by one replica of several.

Nothing here decides what is served, reads what was written, or waits in the event loop's thread. What cannot be told is
told later or not at all: no route depends on it.
"""
