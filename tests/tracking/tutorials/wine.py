"""The classic: ElasticNet with settings from the command line, a signature, a registered model."""

import sys
import warnings
from urllib.parse import urlparse

import mlflow
import mlflow.sklearn
import numpy as np
from mlflow.models.signature import infer_signature
from sklearn.datasets import load_wine
from sklearn.linear_model import ElasticNet
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split


def eval_metrics(actual, pred):
    rmse = np.sqrt(mean_squared_error(actual, pred))
    return rmse, mean_absolute_error(actual, pred), r2_score(actual, pred)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    np.random.seed(40)
    mlflow.set_experiment("wine")
    data = load_wine(as_frame=True).frame
    train, test = train_test_split(data)
    train_x, test_x = train.drop(["target"], axis=1), test.drop(["target"], axis=1)
    train_y, test_y = train[["target"]], test[["target"]]
    alpha = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    l1_ratio = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
    with mlflow.start_run(run_name="wine"):
        lr = ElasticNet(alpha=alpha, l1_ratio=l1_ratio, random_state=42).fit(train_x, train_y)
        predicted = lr.predict(test_x)
        rmse, mae, r2 = eval_metrics(test_y, predicted)
        print(
            f"ElasticNet model (alpha={alpha:f}, l1_ratio={l1_ratio:f}): {rmse:.6f} {mae:.6f} {r2:.6f}"
        )
        mlflow.log_param("alpha", alpha)
        mlflow.log_param("l1_ratio", l1_ratio)
        mlflow.log_metric("rmse", rmse)
        mlflow.log_metric("r2", r2)
        mlflow.log_metric("mae", mae)
        signature = infer_signature(train_x, lr.predict(train_x))
        if urlparse(mlflow.get_tracking_uri()).scheme != "file":
            mlflow.sklearn.log_model(
                lr, "model", registered_model_name="ElasticnetWineModel", signature=signature
            )
        else:
            mlflow.sklearn.log_model(lr, "model", signature=signature)
    model = mlflow.pyfunc.load_model("models:/ElasticnetWineModel/1")
    print(np.allclose(model.predict(test_x), predicted))
