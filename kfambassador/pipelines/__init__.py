"""Kubeflow Pipelines steps that publish, test and withdraw routes.

Each step is a few lines over the SDK. Nothing here talks to a cluster by itself.
"""
