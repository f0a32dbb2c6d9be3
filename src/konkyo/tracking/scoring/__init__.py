"""The application that `konkyo serve` starts, in a folder of its own for uvicorn's --app-dir."""
