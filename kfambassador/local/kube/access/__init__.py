"""Who asks, and whether they may: tokens, roles and the questions about both.

Nothing here changes objects other than roles and tokens, and nothing here knows HTTP.
"""
