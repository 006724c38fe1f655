"""Events from the outbox to a subscriber, beside what drivers need to move the same rows."""
