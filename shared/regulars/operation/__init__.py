"""Stage: operation. What an operator does over HTTP.

http        the routes, each behind an operator key
quarantine  list and replay what was rejected
parsing     days and limits in queries
"""
