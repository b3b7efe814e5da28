"""Tables that grow, read back over runs; images as files and over steps."""

import mlflow
import numpy as np
import pandas as pd
from PIL import Image

mlflow.set_experiment("tables")
for name in ("one", "two"):
    with mlflow.start_run(run_name=name):
        mlflow.log_table(
            data={"inputs": [f"{name} a", f"{name} b"], "score": [0.5, 1.0]},
            artifact_file="scores.json",
        )
        mlflow.log_table(pd.DataFrame({"inputs": ["ü"], "score": [0.25]}), "scores.json")
        mlflow.log_table({"question": "why", "answer": "therefore"}, "deep/answers.json")
        mlflow.log_image(np.zeros((4, 6, 3), dtype=np.uint8), "black.png")
        mlflow.log_image(Image.new("RGB", (400, 100), (10, 20, 30)), "deep/blue.png")
        for step in range(2):
            shade = np.full((300, 200), step * 100, dtype=np.uint8)
            mlflow.log_image(shade, key="shade/s", step=step, timestamp=1_700_000_000_000)
        mlflow.log_image(mlflow.Image(np.ones((2, 2))), "white.png")

table = mlflow.load_table("scores.json")
print(sorted(table["inputs"]), table["score"].sum())
run = mlflow.last_active_run()
only = mlflow.load_table("deep/answers.json", run_ids=[run.info.run_id], extra_columns=["run_id"])
print(only["question"].tolist(), (only["run_id"] == run.info.run_id).tolist())
image = mlflow.artifacts.load_image(f"runs:/{run.info.run_id}/white.png")
print(image.size, image.mode, np.asarray(image).tolist())
picture = mlflow.Image(np.array([[[255, 0, 0], [0, 0, 255]]], dtype=np.uint8))
print(picture.size, picture.to_list(), picture.to_array().shape, picture.resize((4, 2)).size)
