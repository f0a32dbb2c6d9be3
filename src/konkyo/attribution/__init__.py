"""Attribution of each score to its inputs, and the evaluation of attribution methods.

rules         rules of layer-wise relevance propagation: epsilon, gamma, alpha-beta, z+
lrp           layer-wise relevance propagation through a stack of networks
deeplift      DeepLIFT's rescale rule through a stack of networks
attributions  score, relevances and the absorbed part, as tables that add up
methods       all attribution methods behind one signature
evaluation    every method on the same stocks, its files, and the figures of verify.json
faithfulness  deletion curves
stability     seed correlation and cascading randomisation
ground_truth  agreement with true contributions
correlation   rank correlation of many pairs at once
"""
