"""Train, log, tag, and load a model again."""

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
settings = {"solver": "lbfgs", "max_iter": 1000, "random_state": 8888}
model = LogisticRegression(**settings).fit(X_train, y_train)
accuracy = accuracy_score(y_test, model.predict(X_test))

mlflow.set_experiment("quickstart")
with mlflow.start_run(run_name="logistic", description="a first model") as run:
    mlflow.log_params(settings)
    mlflow.log_metric("accuracy", accuracy)
    mlflow.set_tag("Training Info", "Basic LR model for iris data")
    signature = infer_signature(X_train, model.predict(X_train))
    info = mlflow.sklearn.log_model(
        sk_model=model,
        name="iris_model",
        signature=signature,
        input_example=X_train[:2],
        registered_model_name="tracking-quickstart",
    )
    mlflow.set_logged_model_tags(info.model_id, {"kind": "baseline"})

assert mlflow.active_run() is None
loaded = mlflow.pyfunc.load_model(info.model_uri)
predictions = loaded.predict(X_test)
frame = pd.DataFrame(X_test, columns=load_iris().feature_names)
frame["actual"], frame["predicted"] = y_test, predictions
print(frame[:4].round(3).to_dict("list"))
print(info.signature.to_dict())
print(mlflow.get_logged_model(info.model_id).tags["kind"], info.registered_model_version)
print(mlflow.last_active_run().info.run_id == run.info.run_id, run.info.run_name)
native = mlflow.sklearn.load_model(f"models:/{info.model_id}")
print(type(native).__name__, native.get_params()["max_iter"])
