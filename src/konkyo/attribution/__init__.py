"""The grounds of each prediction.

lrp      layer-wise relevance propagation through a stack of networks
grounds  score, relevances and what was absorbed, as tables that add up
"""

from konkyo.attribution.grounds import explain

__all__ = ["explain"]
