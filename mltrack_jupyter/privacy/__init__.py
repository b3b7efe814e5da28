"""What is the user's alone: the reader's key, and what it vouches for."""
