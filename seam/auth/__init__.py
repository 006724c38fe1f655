"""Who calls: tokens of users, names of services, and what a contract lets each of them do."""

from seam.auth.authenticator import NO_ISSUER, Authenticator
from seam.auth.policy import Admission, ContractPolicy, Policy

__all__ = ["NO_ISSUER", "Admission", "Authenticator", "ContractPolicy", "Policy"]
