"""What a secret looks like: its names, its values, the shapes of services' keys, and the files that hold them."""

from __future__ import annotations
