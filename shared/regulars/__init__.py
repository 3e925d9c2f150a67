"""Regulars turns a shop's visitors into regulars. Start reading at `regulars.flow`."""

__version__ = "0.1.0"
