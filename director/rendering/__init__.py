"""Configuration for engines that others keep, written from contracts and the topology."""
