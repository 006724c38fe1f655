"""Mails that are to be sent, and what became of them: the only code that knows the tables."""
