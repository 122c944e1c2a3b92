"""Quality: rules and verdicts, masking, sampling, scoring."""
