"""Empty, as in m3-mutex."""
