"""Ports of a process: bound, or the start ends and says why."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack

from seam.runtime.http_listener import HttpListener
from seam.runtime.service_settings import SettingsError
from seam.runtime.topology import Address


def bind_http(address: Address) -> HttpListener:
    """Bind the address of an HTTP port.

    Raises:
        SettingsError: it cannot be bound.
    """
    try:
        return HttpListener.bind(address)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from None
    except UnicodeError:
        # As a name that is none is refused when it is looked up.
        raise SettingsError(f"cannot listen on {address}: not the name of a host") from None


async def listening(
    stack: AsyncExitStack, server: AbstractAsyncContextManager[Address], address: Address
) -> Address:
    """Let a server listen until `stack` is closed; gives the address with the port that was bound.

    Raises:
        SettingsError: it cannot listen on `address`.
    """
    try:
        return await stack.enter_async_context(server)
    except OSError as error:
        raise SettingsError(f"cannot listen on {address}: {error.strerror or error}") from None
    except UnicodeError:
        # As a name that is none is refused when it is looked up.
        raise SettingsError(f"cannot listen on {address}: not the name of a host") from None
