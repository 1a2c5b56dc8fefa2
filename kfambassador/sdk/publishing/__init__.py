"""What publishing a model comes to, and making it so in a cluster.

``publication``, ``planning``, ``variants``, ``annotations`` and ``difference`` are pure; ``sources``, ``owners``,
``claims``, ``objects`` and ``publish`` ask the Kubernetes API. Nothing here asks a gateway or calls a model, and
nothing touches what somebody else made, but for the one block of a Service's annotation that is asked for.
"""
