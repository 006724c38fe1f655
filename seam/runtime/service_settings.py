"""Settings of one service: what they are is the service's own business.

A topology names them in a table `[settings.NAME]`, a flag as `--setting NAME.KEY=VALUE`. A service
describes them by a struct, all of whose fields have defaults, and reads them when it starts:

    class PaymentsSettings(msgspec.Struct, frozen=True):
        provider: str = ""

    settings = resources.settings.read(PaymentsSettings)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from seam.runtime.type_words import in_words

S = TypeVar("S", bound=msgspec.Struct)


class SettingsError(ValueError):
    """A setting cannot be used; the text names it and says what was expected."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value, and where it was set.

    Attributes:
        value: as it was given.
        origin: what errors call it: a file with its line, or a flag.
        is_text: whether it may stand for a number or a boolean, because a flag has no types.
    """

    value: object
    origin: str
    is_text: bool = False


class ServiceSettings:
    """What was set for one service."""

    def __init__(self, service: str, given: Mapping[str, Setting]) -> None:
        """Offer `given` to `service`."""
        self._service = service
        self._given = given
        self._is_read = False

    def read(self, kind: type[S]) -> S:
        """The settings as the service describes them, with its defaults for what was not set.

        Raises:
            SettingsError: one is not among them, or has another type.
        """
        self._is_read = True
        known = {field.name: field for field in msgspec.structs.fields(kind)}
        values: dict[str, object] = {}
        for name, setting in self._given.items():
            if name not in known:
                raise self.error(name, f"unknown setting; expected {', '.join(known)}")
            try:
                values[name] = msgspec.convert(
                    setting.value, known[name].type, strict=not setting.is_text
                )
            except msgspec.ValidationError as error:
                raise self.error(name, in_words(str(error))) from None
        return kind(**values)

    def error(self, name: str, reason: str) -> SettingsError:
        """The error that a setting cannot be used, for a service that has looked at its value.

        Args:
            name: the setting, which need not have been set.
            reason: what is wrong with it, and what was expected.
        """
        setting = self._given.get(name)
        origin = "" if setting is None else f"{setting.origin}: "
        return SettingsError(f"{origin}{self._service}.{name}: {reason}")

    def check(self) -> None:
        """Check, once the service has started, that nothing was set for one that reads no settings.

        Raises:
            SettingsError: something was.
        """
        if not self._is_read:
            for name in self._given:
                raise self.error(name, f"service '{self._service}' has no settings")
