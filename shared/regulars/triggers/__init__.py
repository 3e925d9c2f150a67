"""Stage: triggers. What shoppers do becomes timers; what is due becomes moments.

    model        Timer and its two forms: the moment it emits, the timer that brings a moment back
    ports        Timers: the due index
    config       the numbers (defaults.yaml)
    local_time   wall clocks of the shopper's zone, across DST
    reading      products, orders and birthdays out of events
    agenda       one shopper's timers while a plan is made
    rules        carts, browsing, welcome, order updates; what an order answers
    birthdays    the yearly timer
    repurchase   the personal cycle
    planning     events in, changes of timers out; pure
    service      plan_triggers, and `defer` for the arbiter
    firing       fire_timers, the minute tick

Functions: plan_triggers, fire_timers.
"""
