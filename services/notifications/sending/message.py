"""A mail in the form in which it travels.

Source: RFC 5322; RFC 3834 for `Auto-Submitted`. Headers and bodies are written by Python's `email`,
which folds and encodes, and refuses whatever would end a header.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from services.notifications.persistence.mails import Mail

_PLAIN: Final = re.compile(r"[!-~]+")
"""Printable ASCII without blanks; what else an address is made of, the parser knows."""


def address_of(text: str, name: str = "") -> Address:
    """Read an address, and nothing besides it.

    Args:
        text: the address, such as `ann@example.com`.
        name: whose it is.

    Raises:
        ValueError: it is none, or several.
    """
    try:
        address = Address(name, addr_spec=text)
        usable = bool(address.username and address.domain) and address.addr_spec == text
    except (ValueError, IndexError, MessageError):
        usable = False
    if not usable or not _PLAIN.fullmatch(text):
        raise ValueError("the address is none; expected one such as ann@example.com")
    return address


def message_of(mail: Mail, sender: Address) -> bytes:
    """Write a mail as it is sent: always the same bytes but for boundaries.

    Its `Message-ID` depends on what it is about alone, so that whoever gets it twice can tell.

    Args:
        mail: the mail.
        sender: whose address it comes from.

    Raises:
        ValueError: the recipient's address is none.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = address_of(mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = datetime.fromtimestamp(mail.written_at // 1_000_000, UTC)
    message["Message-ID"] = f"<{mail.mail_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()
