"""Stage: needs. What shoppers will need, and when.

Without numpy, for functions that must start fast: `model` (what a build learned), `habits` (one shopper's rhythm),
`expecting` (MBG/NBD), `forecasting` (a shopper's forecast for the sweep), `rebuying` (her items, by how likely she buys
them again, and when).
With numpy, for the build and the evaluator: `purchases`, `mbg`, `logistic`, `returning`, `spending`, `pairs`, `demand`,
`choosing`, `orders`, `service`, `evaluation` and its two sisters.
"""
