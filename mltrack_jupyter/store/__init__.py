"""Who answers: a store in SQL, or a server elsewhere, behind the same services."""

from mltrack_jupyter.store.open import artifacts_of, full_uri, normalise_uri, open_store

__all__ = ["artifacts_of", "full_uri", "normalise_uri", "open_store"]
