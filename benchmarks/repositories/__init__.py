"""The repositories, against the bare driver, SQLAlchemy Core and a SQLModel session."""
