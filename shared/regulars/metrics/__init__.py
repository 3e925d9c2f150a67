"""Stage: metrics. What the log and the ledger tell, counted once each per day, and the KPI report with its goals.

counts.py   the key of a counter, and sums of them
changes.py  one change of the log or the ledger, as the stream tells it
rolling.py  a change → counts (pure)
sketch.py   distinct shoppers in 2 KB (HyperLogLog)
service.py  RollUpMetrics, WriteReports
model.py    the KPIs: what is divided by what, and how it is measured
report.py   build_report: KPIs against goals, messages by kind, silence by reason, activity
page.py     docs/kpis.md, generated
ports.py    Counters, Sketches
config.py   goals and sizes (defaults.yaml)
"""
