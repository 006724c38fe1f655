"""What mails say: rules that know neither a transport nor a table."""
