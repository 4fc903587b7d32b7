"""A shop, for tests of the admin."""
