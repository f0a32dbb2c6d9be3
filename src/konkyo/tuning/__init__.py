"""The search over hyperparameters, and how much of its result is luck."""

from konkyo.errors import require_extra

require_extra("pipeline")
