"""Artifacts: one path resolver, files written whole, and the URIs that lead to them."""

from mltrack_jupyter.store.artifacts.files import LocalFiles
from mltrack_jupyter.store.artifacts.locations import PROXY, Locations, scheme_of
from mltrack_jupyter.store.artifacts.paths import check_path, resolve

__all__ = ["PROXY", "LocalFiles", "Locations", "check_path", "resolve", "scheme_of"]
