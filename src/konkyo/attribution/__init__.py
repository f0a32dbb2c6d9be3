"""The grounds of each prediction.

rules         how a unit's relevance is shared among its inputs: epsilon, gamma, alpha-beta, z+
lrp           layer-wise relevance propagation through a stack of networks
grounds       score, relevances and what was absorbed, as tables that add up
methods       other ways to attribute a score, one signature for all
agreement     how well relevances agree with contributions that are known to be true
faithfulness  deletion curves: what the relevances call large moves the score
stability     relevances over seeds, and over weights drawn anew
ranking       rank correlation of many pairs at once
"""

from konkyo.attribution.attributions import explain

__all__ = ["explain"]
