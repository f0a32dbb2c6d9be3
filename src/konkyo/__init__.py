"""konkyo: stock rankings by rolling neural networks, with the grounds of every prediction."""
