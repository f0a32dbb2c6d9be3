"""Data vendors: records over HTTP, through the vendor's own client where it has one.

- `http`: keys from the environment, rate limits, retries
- `jquants`: download of days that are not on disk yet, stored as they came; `jquants_reports` and
  `jquants_tables`: the tables of `ingest.tables` from these files
- `fred`: economic series by vintage; `mof`: yields of Japanese government bonds, interventions
"""
