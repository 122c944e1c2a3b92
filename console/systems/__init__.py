"""What the operator's other systems ask for: news of cases, call-backs (I3)."""
