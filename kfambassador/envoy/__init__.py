"""The routing table in Envoy's words: messages, tables and snapshots.

Protobuf lives here and in xds, and enters by one door, ``envoy.protos``. Nothing here decides where a request goes,
talks to Envoy or keeps state other than memos of pure functions.
"""
