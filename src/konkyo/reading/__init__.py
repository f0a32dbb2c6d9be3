"""What the grounds say: the tables behind every figure, pure functions of one `Evidence`."""
