"""The second study: a monetary authority's intervention as a function of a few indicators.

records     the raw monthly series and their rules
bring       the sources: simulated, the user's tables, the ministry's operations
simulated   an authority whose reaction function is known
official    the Japanese Ministry of Finance's file of daily operations
indicators  raw series to the four inputs and the target, as known at each month
samples     periods to training windows, with every fault named
networks    all networks of the study, trained as one stack
penalty     how strongly the forecasting networks are held back, by cross-validation
linear      least squares, Tobit and logit beside the networks
forecasts   in-sample fits and one-step-ahead forecasts of every model, in one tidy table
scoring     methods 1 and 2: right and wrong answers
accuracy    Brier score, area under the curve, calibration; tests of one model against another
surface     the reaction surface and the threshold read off it
grounds     why intervene now: relevance of each input
published   the table that the paper published
tables      the tables of the forecast months, as the paper prints them
drawing     every figure, as pictures and for the page
page        the page; columns: what its columns are called
summary     the figures that tell two runs apart

A month's row is about that month. What was known when is in `indicators` and `samples`.
"""
