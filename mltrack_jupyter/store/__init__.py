"""Who answers: a store in SQL, or a server elsewhere, behind the same services."""

from mltrack_jupyter.store.open import artifacts_of, normalise_uri, open_store
from mltrack_jupyter.store.uri import StoreUri

__all__ = ["StoreUri", "artifacts_of", "normalise_uri", "open_store"]
