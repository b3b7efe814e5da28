"""The former place of :mod:`mltrack_jupyter.privacy.redact`."""

from mltrack_jupyter.privacy.redact import REDACTED, redact, redact_cut, redact_items, redact_value

__all__ = ["REDACTED", "redact", "redact_cut", "redact_items", "redact_value"]
