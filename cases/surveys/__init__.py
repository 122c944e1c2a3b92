"""Satisfaction surveys as data (Q2, K6): what is asked, in which words, and what an answer is worth."""
