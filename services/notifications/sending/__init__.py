"""Hands mails to an SMTP server."""
