"""Stands in for a payment provider, misbehaves when it is told to, and keeps a ledger."""
