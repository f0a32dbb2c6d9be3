"""Vendors' records over HTTP, each through the vendor's own client where it has one.

`common` has what all share: credentials from the environment, rate limits, retries. `jquants` asks
for what is not there yet and keeps it as it came; `jquants_prices` and `jquants_reports` make the
tables of `ingest.tables` from that. `fred` and `mof` bring market series, `mof` interventions too.
"""
