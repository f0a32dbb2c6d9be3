"""konkyo as a library: what `import konkyo` gives, a thin layer over the rooms of the pipeline.

frames       pandas, polars or Arrow in, and out in the caller's kind
checks       the rules of a frame, in the words of `konkyo check`
panel        `Panel`
ranker       `RollingRanker`
backtest     `backtest`
lookahead    `check_lookahead`
simulated    `simulate_market`
selection    `selection_bias`
"""
