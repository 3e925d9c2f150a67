"""Stage: privacy. What is kept of shoppers, and for how long.

config     how many days
retention  the daily deletion
"""
