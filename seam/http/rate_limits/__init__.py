"""Rate limits of the front door, on the strategies of the library `limits`.

Requests are counted in windows of time, and what the window before counted weighs the less the
longer it is gone (`SlidingWindowCounterRateLimiter`). A process counts in its own memory
(`memory`), or takes its allowance from a PostgreSQL that all processes share (`shared`).

The library is loaded by processes that have a limit, with `opening`.
"""
