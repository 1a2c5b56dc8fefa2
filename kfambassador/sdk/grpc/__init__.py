"""Calls by gRPC: TensorFlow Serving's services and the Open Inference Protocol, through the gateway.

Needs the extra ``grpc``. Messages are built at run time from small tables of field numbers in a pool of their own, so
that nothing clashes with packages that carry the same protocols. It never imports tensorflow, nor Envoy's messages.
"""
