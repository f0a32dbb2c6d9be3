"""One function a figure: one tidy table in, one Altair chart out; nothing is written or logged.

performance  growth of 1 (the paper's figure 6), monthly rank IC and return, return by quantile
factors      mean relevance in long and short (9), relevance against the input's value (10)
market       market series over time (11), the stocks that one of them moved (12)
history      relevance by group, effects of the attributes, sizes and sectors
evaluation   deletion curves, agreement with the true contributions
report       all charts of the report by name
search, intervention, intervention_surface: of other pages
shapes       bars, waterfalls, lines over months
theme        fonts, colours, axes; charts as PNG (`save_pngs`) and Vega-Lite JSON (`to_spec`)
"""
