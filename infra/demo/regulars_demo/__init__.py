"""`make demo`: two years of a real gift shop through the deployed functions, on a virtual clock.

history      the sample's orders and credit notes as Segment calls (real)
simulated    shoppers' contact data, browsing and message opens (invented here, and said so on screen)
drive        virtual time: posts each day's calls, runs the schedules, waits until the queues are empty
show         what came of it, printed
page         the outbox and a shopper's timeline, in a browser
"""
