"""The run-time of clients that are generated from contracts: records, errors, calls, tokens."""

from contract_client.async_connection import AsyncConnection
from contract_client.connection import Connection
from contract_client.errors import ApiError, Code, InvalidField, TypedError
from contract_client.records import Empty, OpenEnum, Record
from contract_client.retries import Retries
from contract_client.tokens import MemoryTokenStore, Session, TokenStore

__all__ = [
    "ApiError",
    "AsyncConnection",
    "Code",
    "Connection",
    "Empty",
    "InvalidField",
    "MemoryTokenStore",
    "OpenEnum",
    "Record",
    "Retries",
    "Session",
    "TokenStore",
    "TypedError",
]
