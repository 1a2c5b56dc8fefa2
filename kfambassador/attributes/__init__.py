"""The attributes of a Mapping, one family a file.

A family is a frozen model of the fields that belong together and the one hook that turns them into Envoy's words.
Families do not know each other, do no I/O, hold no state and import no protobuf: a hook is handed a draft to patch.
"""
