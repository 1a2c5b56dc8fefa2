"""What notebooks and pipeline steps call: connect, expose, test, take down.

Synchronous, typed and light to import. The SDK reaches the control plane only through its API or through local; it
never imports the controller, xDS or Envoy's messages.
"""
