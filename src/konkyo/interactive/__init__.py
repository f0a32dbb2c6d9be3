"""The figures once more, interactive: one function a figure, from the same tables."""
