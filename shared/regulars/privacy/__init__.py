"""Stage: privacy. What is kept of shoppers, and for how long.

config     how many days
retention  the daily deletion
erasure    one shopper, out of everything (http: the operator's route, ports)
"""
