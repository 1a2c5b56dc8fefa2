"""What Envoy last acknowledged, kept on disk for a controller that starts while its cluster cannot be read.

Nothing here reads the cluster or makes routes, and nothing that was kept is shown to anybody: private keys are in it.
"""
