"""Stage catalogue: what the shop sells.

- model       Item
- ports       Catalogue (get, put, update by feed, stock-outs, scan)
- config      CatalogueSettings (defaults.yaml)
- rows        CSV, JSON lines and JSON arrays as numbered rows
- validation  one row → changes or violations
- importing   Importer: rows in, accepted ones stored, a Report out
- words       words of names, Chinese and English
- snapshot    the whole catalogue as one compressed object, and the reader that keeps it in memory
- http        POST /v1/catalogue, GET /v1/catalogue/{item_id}
"""
