"""Stage: profiles. What is known of a shopper: live tags, cart, purchases, standing.

model      Profile as every stage reads it; tag_value, the one spelling of tag values
record     Record, the stored form; joining two shoppers
seen       which message ids were applied in the last 28 days, and by which delivery
tagging    what one event is evidence of
applying   events → record, a pure function that does not care about order
orders     orders and refunds, kept beside the record
reading    record + orders → Profile now
facts      what rules may ask
rules      the language of tag_rules.yaml
festivals  dates of festivals, lunar ones too
rfm        recency, frequency, money; value tiers
lifecycle  the stage machine
sweep      the daily pass over all shoppers
writing    the storing port
"""
