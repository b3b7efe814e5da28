"""Codes of errors under MLflow's module names."""
