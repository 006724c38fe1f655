"""What tests of the run-time stand on; no client has it."""
