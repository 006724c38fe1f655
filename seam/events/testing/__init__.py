"""A publisher and a subscriber for tests of event delivery."""
