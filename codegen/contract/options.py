"""Reads the options of a contract: ours, and those of google.api.

Options are extensions, which a plugin receives as unknown fields. They are read with the
descriptors that the request itself carries, so that nothing has to be generated before the
generators can run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from codegen.contract.model import Location, Problem, RefusedContractError

if TYPE_CHECKING:
    from google.protobuf.descriptor import FieldDescriptor
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

__all__ = ["ERROR", "EVENT", "FIELD_BEHAVIOR", "HTTP", "METHOD", "RULES", "Options"]

ERROR = "contract.v1.error"
EVENT = "contract.v1.event"
METHOD = "contract.v1.method"
RULES = "contract.v1.rules"
HTTP = "google.api.http"
FIELD_BEHAVIOR = "google.api.field_behavior"


class Options:
    """Reads option extensions.

    Args:
        files: every file of the request, each after the files that it imports.

    Raises:
        RefusedContractError: Python's protobuf runtime refuses a file.
    """

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self._pool = DescriptorPool()
        for file in files:
            try:
                self._pool.AddSerializedFile(file.SerializeToString())
            except TypeError as error:
                raise RefusedContractError(
                    [Problem(Location(file.name, 1, 1), str(error))]
                ) from error

    def get(self, options: Message, extension: str) -> Message | None:
        """The value of an option that is a message.

        Args:
            options: the options of an element, such as a MethodOptions.
            extension: the extension's full name.

        Returns:
            The value; None when it is not set, or no file of the request declares it.
        """
        for field, value in self._set(options):
            if field.full_name == extension and isinstance(value, Message):
                return value
        return None

    def numbers(self, options: Message, extension: str) -> tuple[int, ...]:
        """The values of a repeated enum option; empty when it is not set."""
        for field, value in self._set(options):
            if field.full_name == extension and isinstance(value, Iterable):
                return tuple(value)
        return ()

    def _set(self, options: Message) -> Iterable[tuple[FieldDescriptor, object]]:
        """The fields of options that are set, extensions included."""
        data = options.SerializeToString()
        if not data:
            return ()
        try:
            descriptor = self._pool.FindMessageTypeByName(options.DESCRIPTOR.full_name)
        except KeyError:
            return ()
        parsed = message_factory.GetMessageClass(descriptor)()
        parsed.ParseFromString(data)
        return parsed.ListFields()
