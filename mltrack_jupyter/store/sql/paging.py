"""Page tokens: opaque to callers, an offset inside."""

from __future__ import annotations

import base64
import binascii
import json

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rules import short


def encode_token(offset: int) -> str:
    """Return the token of the page that begins at an offset."""
    return base64.urlsafe_b64encode(json.dumps({"offset": offset}).encode()).decode()


def decode_token(token: str) -> int:
    """Return the offset of a token; 0 for none."""
    if not token:
        return 0
    try:
        offset = json.loads(base64.urlsafe_b64decode(token.encode()))["offset"]
        if isinstance(offset, int) and 0 <= offset < 2**62:
            return offset
    except (binascii.Error, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InvalidParameter(
        f"Invalid page_token {short(token)}: pass the next_page_token of the page before, unchanged."
    )
