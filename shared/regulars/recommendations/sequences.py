"""What a trained sequence model says of a shopper, where the live recipe listens to one (`regulars.similarity.sequence`).

Its arrays are read once a version. numpy comes with the layer that the template's parameter `SequenceModel` adds, and is
imported by the first call that needs it, never before: a shop without such a model starts as fast as ever.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from regulars.errors import GiveUp
from regulars.profiles.model import Profile
from regulars.recommendations.history import recent
from regulars.similarity.model import SEQUENCE, Pointer, sequence_key
from regulars.similarity.recipe import Recipe
from regulars.storage import Storage

if TYPE_CHECKING:
    from regulars.similarity.sequence import SequenceModel


class SequenceReader:
    """Keeps the model of the last version that was asked for; one that is broken is not read again."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._version = ""
        self._known: SequenceModel | GiveUp | None = None

    def __call__(
        self, pointer: Pointer | None, recipe: Recipe, profile: Profile, kinds: Mapping[str, float], hidden: Collection[str]
    ) -> Mapping[str, float]:
        """The likeliest items that are not hidden → likelihood beside the likeliest; nothing where the recipe does not ask.
        Raises GiveUp(broken_model) when the model is gone or damaged, or numpy missing, and TryLater when the store is."""
        part = recipe.parts.get(SEQUENCE)
        if part is None or part.weight <= 0 or pointer is None:
            return {}
        version = str(pointer.params.get(SEQUENCE, ""))
        if self._known is None or version != self._version:
            self._known, self._version = self._read(version), version
        if isinstance(self._known, GiveUp):
            raise self._known
        newest = recent(profile, kinds, self._known.length)
        return self._known.likeliest([deed.item_id for deed in newest], hidden)

    def _read(self, version: str) -> SequenceModel | GiveUp:
        try:
            from regulars.similarity.sequence import from_bytes
        except ImportError:
            return GiveUp("numpy is missing: deploy with the parameter SequenceModel=ENABLED", code="broken_model")
        body = self._storage.get(sequence_key(version))
        if body is None:
            return GiveUp(f"{sequence_key(version)} is gone", code="broken_model")
        try:
            return from_bytes(body)
        except GiveUp as error:
            return error
