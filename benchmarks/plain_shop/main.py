"""The application: `DATABASE_URL=… uvicorn benchmarks.plain_shop.main:app`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlmodel import SQLModel

from benchmarks.plain_shop.database import engine
from benchmarks.plain_shop.routes import carts, inventory


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Create the tables that are missing."""
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(title="Shop", lifespan=lifespan)
app.include_router(inventory.router)
app.include_router(carts.router)
