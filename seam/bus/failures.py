"""What of a handler's failure leaves the process: declared errors and statuses, and no more."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from seam.codec.error_size import fitting_record, fitting_text
from seam.contract.descriptors import MethodDescriptor
from seam.contract.errors import (
    Code,
    ContractError,
    InvalidArgumentError,
    InvalidField,
    StatusError,
)

log = logging.getLogger("seam.bus")


def outward(error: BaseException, method: MethodDescriptor[Any, Any]) -> StatusError:
    """Turn what a handler raised into what the caller may see.

    A fresh error is made, so that no cause, note or frame of the callee comes along. Errors travel
    under the same limits on every transport.

    Args:
        error: what the handler raised.
        method: the method that it answers.

    Raises:
        KeyboardInterrupt: it was one; nothing but the end of the process is meant by it.
        SystemExit: it was one.
    """
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        raise error
    if isinstance(error, ContractError):
        for declared in method.errors:
            if declared.exception is type(error):
                try:
                    return declared.exception(fitting_record(error.record, declared.codec))
                except InvalidField as unfit:
                    return internal(unfit, method)
        error.add_note(f"{error.name} is not among the errors that {method.full_name} declares")
    elif isinstance(error, InvalidArgumentError):
        return InvalidArgumentError(error.field)
    elif isinstance(error, StatusError) and error.code is not Code.OK:
        return StatusError(error.code, fitting_text(error.message))
    return internal(error, method)


def cancelled_itself(method: MethodDescriptor[Any, Any]) -> StatusError:
    """The status of a call whose handler was cancelled by nobody but the handler."""
    return StatusError(Code.CANCELLED, f"{method.full_name} cancelled itself")


def internal(error: BaseException, method: MethodDescriptor[Any, Any]) -> StatusError:
    """Log a defect under a new id and make the status that carries only the id."""
    identifier = uuid.uuid4().hex
    log.error("%s failed, error id %s", method.full_name, identifier, exc_info=error)
    return StatusError(Code.INTERNAL, f"internal error {identifier}")
