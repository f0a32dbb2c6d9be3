"""The networks: many small perceptrons trained as one stack, and the baselines beside them.

mlp               the stacked multilayer perceptron
backward          its gradient, written out
gather            scaled rows of the panel, in the precision of a step
batches           a network's spec and hyperparameters; the rows of every network at every step
lightning_module  the LightningModule and the optimiser of a stack
cuda_graph        a step replayed on a GPU
fit               one stack, from initial weights to trained ones
engines           the stack, or month by month: networks from specs, one function
ranking_module    ordinary LightningModules: the base of a user's own, and the perceptron
month_fit         one month by a Trainer, with validation and early stopping
user_module       a user's class: imported, constructed, scored
full_batch        small samples, all rows at every step
jobs              the plan of a run: its networks, their keys, their division into stacks
train             a run over all months: incremental, resumable, parallel
accelerator       where stacks train, and how many networks fit
backends          in this process, loky, Dask
distributed       the job of one stack on any machine
panel_cache       the panel where workers find it
progress          the progress bar
store             files of weights
baselines         ridge regression and placebo
"""
