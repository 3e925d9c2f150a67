"""The composition root: what each function is made of, built inside its first call and only then.

A module a stage, a function here per entry of `flow.py`, same name. Imports stay inside, so that a function loads only what
it uses.
"""
