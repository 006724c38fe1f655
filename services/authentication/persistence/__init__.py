"""Tables and repositories of accounts; the only code that knows them."""
