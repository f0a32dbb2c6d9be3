"""Pages that need nothing but a browser: the shell they share, and the report."""
