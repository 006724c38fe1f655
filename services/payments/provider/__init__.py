"""Whoever holds the money: what payments ask of a provider, and the providers there are."""
