"""Proof under faults: real calls while service, AMI link, database and Asterisk fail at random instants."""
