"""Artifacts by URI, under MLflow's names."""

from mltrack_jupyter.tracking.downloads import (
    download_artifacts,
    list_artifacts,
    load_dict,
    load_image,
    load_text,
)

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]
