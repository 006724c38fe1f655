"""The same shop as people write it with FastAPI and SQLModel: what the shop is compared with.

It follows the template that FastAPI's author recommends: routes that are plain functions, a session
for each request, tables and answers as SQLModel classes, synchronous drivers (sqlite3 and psycopg),
uvicorn with uvloop and httptools. Routes and JSON are those of the shop.
"""
