"""The shop's HTTP routes, against those that people write with FastAPI and SQLModel."""
