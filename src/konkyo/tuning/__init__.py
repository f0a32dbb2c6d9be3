"""The search over hyperparameters, and how much of its result is luck."""
