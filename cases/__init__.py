"""Inquiries, work orders, complaints, their clocks and calendar, call-backs, surveys (A5, A7, C1-C10, Q2)."""
