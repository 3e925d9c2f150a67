"""Fixtures of more than one contract test."""

from tests.support.scripted_server import both, script

__all__ = ["both", "script"]
