"""The second study: a central bank's intervention as a function of a few indicators.

records      raw monthly series and their validation
load         the sources: simulated, the user's tables, the ministry's operations
simulated    an authority with a specified reaction function
official     the Japanese Ministry of Finance's file of daily operations
indicators   the four inputs, realised (data set I) and known when the month began (II)
samples      training windows of each period
networks     all networks of the study, trained as one stack; weight decay by cross-validation
linear       least squares, Tobit and logit
forecasts    in-sample fits and one-step-ahead forecasts of all models
scoring      right and wrong answers: amount (method 1) and occurrence (method 2)
accuracy     Brier score, ROC AUC; Diebold-Mariano and McNemar tests; metrics
surface      the reaction surfaces, and the response to each input: threshold, peak
attribution  relevance of each input in each forecast
tables       the tables of the forecast months, as the paper prints them, and those it printed
page         the figures, and the page

Timing of the inputs is in `indicators`, of training and forecast months in `samples`.
"""
