"""What readers of profiles need; capture's writing port stands beside it in `regulars.profiles.writing`."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from regulars.profiles.model import Profile


class Profiles(Protocol):
    def load(self, shopper: str, now: datetime) -> Profile:
        """The profile with weights decayed to `now`; an empty one for an unknown shopper; follows a merged anonymous
        shopper to the one it joined. One round trip for a known shopper."""
