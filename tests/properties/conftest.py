"""Hypothesis for a suite that must say the same every time: no luck, no clock."""

from hypothesis import settings

settings.register_profile("suite", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("suite")
