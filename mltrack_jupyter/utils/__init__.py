"""Small things that scripts written for MLflow take from its modules of this name."""
