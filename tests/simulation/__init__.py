"""The deterministic simulator: the product's own services on the memory adapters, under every fault that at-least-once
delivery, dying workers and slow providers can bring. One thread, one virtual clock, one seed.

    choices      where every decision of a run comes from: a seed, or hypothesis
    kernel       workers as greenlets, the clock, the trace; every call of a port is a step
    faults       what may go wrong at a step, and how often
    queue        an SQS queue: visibility, receives, dead letters, second deliveries
    providers    a provider that takes messages and then does not say so
    shop         all of it together: timers, decisions, sending, feedback
    promises     the figures that are published: `python -m tests.simulation`
"""
