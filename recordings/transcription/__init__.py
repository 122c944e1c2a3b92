"""What was said: from a leg's sound to words with times. Native code below: for worker processes only."""
