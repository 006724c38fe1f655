"""Rate limits of the front door.

Requests are counted in windows of time, and what the window before counted weighs the less the
longer it is gone. A process counts in its own memory (`local`), or takes its allowance from a
PostgreSQL that all processes share (`shared`), by a strategy of the library `limits`.
"""
