"""All kinds of model servers, told apart where one is read back."""

from typing import Annotated, TypeAlias

from pydantic import Field

from kfambassador.sdk.servers.http import HTTPServer
from kfambassador.sdk.servers.kserve import KServeV1, KServeV2
from kfambassador.sdk.servers.mlflow import MLflow
from kfambassador.sdk.servers.openai import OpenAI
from kfambassador.sdk.servers.seldon import Seldon
from kfambassador.sdk.servers.tfserving import TFServing
from kfambassador.sdk.servers.torchserve import TorchServe

#: Every model server, told apart by its kind.
AnyServer: TypeAlias = Annotated[
    TFServing | KServeV1 | KServeV2 | TorchServe | MLflow | Seldon | OpenAI | HTTPServer, Field(discriminator="kind")
]
