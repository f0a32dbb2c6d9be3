"""The month-end routine's own numbers.

comparison  the challenger against the champion over the last months that both have
"""
