"""The command line: every verb of the SDK, the gateway on this machine, and the whole build with no cluster.

It decides nothing itself. Results go to standard output, and are JSON where a program asks for it; progress and
complaints go to standard error. Exit codes: 0 good, 1 the configuration is at fault, 2 the command was misused.
"""
