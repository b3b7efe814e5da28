"""What is the user's alone: secrets, which are redacted; the reader's key, and what it vouches for."""
