"""What a view replied, as a client reads it."""

from __future__ import annotations

import json
from typing import Any

from regulars.web import Reply


def document(reply: Any) -> Any:
    """The JSON document of a view's reply."""
    body = reply.body if isinstance(reply, Reply) else reply
    return json.loads(body) if isinstance(body, str) else body
