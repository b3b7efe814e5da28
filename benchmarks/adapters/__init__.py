"""One file a product; each does the same pieces of work and prints what it measured as JSON."""
