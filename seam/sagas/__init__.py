"""Sagas: work across services that ends done or undone, whatever happens on the way."""

from seam.sagas.attempts import Pace
from seam.sagas.delayed import Delayed, DelayedSagas
from seam.sagas.runner import Ending, SagaRunner
from seam.sagas.saga import FAILED, TIMED_OUT, Reason, RefusedError, Saga, Step
from seam.sagas.storage import Happening
from seam.sagas.tables import SagaTables, saga_tables

__all__ = [
    "FAILED",
    "TIMED_OUT",
    "Delayed",
    "DelayedSagas",
    "Ending",
    "Happening",
    "Pace",
    "Reason",
    "RefusedError",
    "Saga",
    "SagaRunner",
    "SagaTables",
    "Step",
    "saga_tables",
]
