"""Tracking: the active run, and MLflow's fluent verbs."""
