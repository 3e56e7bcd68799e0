"""One file per vendor: bytes to values, a value to a request; knows no database and no web framework."""
