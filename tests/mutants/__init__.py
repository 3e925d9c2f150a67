"""Planted bugs. Each is one small patch of the product; the tests named with it must go red when it is in.

A promise is worth what its tests catch. `python -m tests.mutants [names …]` (`make mutants`) applies each patch to a copy of
`shared/` in a temporary folder, never to the tree, and runs the tests against the copy.
"""
