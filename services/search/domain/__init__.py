"""What words are, and how they may be misspelt: rules that know neither a transport nor a table."""
