"""Pages that need nothing but a browser: the shell they share, and the report."""

from konkyo.errors import require_extra

require_extra("pipeline")
