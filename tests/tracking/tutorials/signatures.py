"""Signatures by hand and off data, what a saved model says of itself, small modules of MLflow's."""

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import SourceType
from mlflow.entities.lifecycle_stage import LifecycleStage
from mlflow.entities.model_registry import ModelVersion
from mlflow.entities.model_registry.model_version_status import ModelVersionStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.models.model import ModelInfo
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.tracking import MlflowClient
from mlflow.types.schema import Array, ColSpec, DataType, ParamSchema, ParamSpec, Schema
from mlflow.utils.mlflow_tags import MLFLOW_RUN_NAME, MLFLOW_RUN_NOTE
from sklearn.linear_model import LogisticRegression

mlflow.set_experiment("signatures")
data = pd.DataFrame({"length": [5.1, 4.9, 6.2, 5.9], "width": [3.5, 3.0, 3.4, 3.0]})
labels = np.array([0, 0, 1, 1])
model = LogisticRegression().fit(data, labels)
signature = infer_signature(data, model.predict(data), {"threshold": 0.5, "names": ["a"]})
print(signature)
print(signature.inputs.input_names(), signature.inputs.input_types(), signature.inputs.to_dict())
print(signature.inputs.required_input_names(), signature.inputs.pandas_types())
print([(param.name, param.dtype, param.default) for param in signature.params])
by_hand = ModelSignature(
    inputs=Schema(
        [ColSpec(DataType.double, "x"), ColSpec(Array("string"), "tags", required=False)]
    ),
    outputs=Schema([ColSpec("long")]),
    params=ParamSchema([ParamSpec("depth", "long", 3)]),
)
print(by_hand)

with mlflow.start_run(run_name="signed", description="with a signature") as run:
    info: ModelInfo = mlflow.sklearn.log_model(
        model, name="model", signature=signature, input_example=data, metadata={"team": "plants"},
        registered_model_name="signed", serialization_format="cloudpickle",
    )  # fmt: skip
about = Model.load(info.model_uri)
print(info.name, info.metadata["team"], sorted(about.flavors), about.signature == signature)
print(about.load_input_example(info.model_uri).equals(data), about.get_params_schema())
print(mlflow.pyfunc.load_model(info.model_uri).model_id == info.model_id)

client = MlflowClient()
version: ModelVersion = client.get_model_version("signed", 1)
print(version.status == ModelVersionStatus.to_string(ModelVersionStatus.READY))
tags = client.get_run(run.info.run_id).data.tags
print(tags[MLFLOW_RUN_NAME], tags[MLFLOW_RUN_NOTE], SourceType.to_string(SourceType.LOCAL))
print(client.get_run(run.info.run_id).info.lifecycle_stage == LifecycleStage.ACTIVE)
try:
    client.get_run("0" * 32)
except MlflowException as error:
    print(error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST))
