"""The `regulars` command: what an operator does by hand.

main         the command line
stack        finding a deployed stack (on AWS by name, on this machine by .local/stack.json)
work         import, build, sweep, tick, token, config
dead         dead letters and quarantine: list and replay
doctor       is everything in order?
flow_table   the generated tables of functions/README.md and docs/flow.md
"""
