"""Prices of us-east-1 in US dollars per million, as of 2026-11-21 (DESIGN.md §6)."""

from __future__ import annotations

AS_OF = "2026-11-21"
WRITE_UNIT = 0.625
READ_UNIT = 0.125
SQS_REQUEST = 0.40
LAMBDA_REQUEST = 0.20
HTTP_API_REQUEST = 1.00
GB_SECOND = 13.3334  # arm64
