"""The fixtures of every connector's test: a vendor's server, and waits that take no time."""

from vendor_server import policy, vendor, waits

__all__ = ["policy", "vendor", "waits"]
