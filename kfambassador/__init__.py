"""kfambassador: put a model behind a URL on Kubernetes."""
