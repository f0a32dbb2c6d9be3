"""The network: many small perceptrons trained as one, and the store of their weights by month.

stack      the stacked multilayer perceptron
schedule   which rows each window sees at each step
module     the Lightning module; callbacks, what happens between its epochs
fullbatch  the schedule of small samples: every row at every step
settings   what a fit reads of its settings
fit        one stack from initial weights to trained ones
plan       the entries of a run, their keys, their stacks
train      a run over all months: incremental, resumable, side by side
spread     stacks sent to workers, weights that come back; engines, which run them; share, where
           workers find the panel
progress   word of progress while workers train
store      one safetensors file a network
"""
