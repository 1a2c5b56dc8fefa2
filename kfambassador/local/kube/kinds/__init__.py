"""What a kind is: its names, subresources, columns, who owns its fields, and the API's errors that name it.

Nothing here knows which kinds there are, or touches what is stored. Pure.
"""
