"""The Jupyter server extension: MLflow's REST and our own below ``/mltrack``, and the live feed."""
