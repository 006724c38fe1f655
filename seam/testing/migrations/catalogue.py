"""What a database itself knows of its tables, in words that can be compared."""

from __future__ import annotations

import re
import warnings
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.exc import SAWarning

from seam.persistence.migrations.schema import VERSION_TABLE

Catalogue: TypeAlias = dict[str, str]
"""What there is (`column item.sku`), and what it is like."""

# Each gives rows of a kind, a name and a description.
_POSTGRESQL: Final = (
    """
    SELECT CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END, relname,
        CASE relkind WHEN 'v' THEN pg_get_viewdef(oid) ELSE relkind::text END
    FROM pg_class WHERE relnamespace = (:schema)::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
    """,
    """
    SELECT 'column', relname || '.' || attname, format_type(atttypid, atttypmod)
        || CASE WHEN collname IS NULL OR collname = 'default' THEN ''
            ELSE ' COLLATE ' || collname END
        || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
        || CASE WHEN attidentity <> '' THEN ' IDENTITY' ELSE '' END
        || CASE WHEN attgenerated <> '' THEN ' GENERATED' ELSE '' END
        || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        LEFT JOIN pg_collation ON pg_collation.oid = attcollation
    WHERE relnamespace = (:schema)::regnamespace AND relkind IN ('r', 'p')
        AND attnum > 0 AND NOT attisdropped
    """,
    """
    SELECT 'constraint', relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid
    WHERE connamespace = (:schema)::regnamespace AND contype <> 'n'
    """,
    """
    SELECT 'index', relname, pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE relnamespace = (:schema)::regnamespace
    """,
    """
    SELECT 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = (:schema)::regnamespace AND NOT tgisinternal
    """,
    """
    SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = (:schema)::regnamespace
    """,
)

_SQLITE: Final = """
SELECT type, name, coalesce(sql, '') FROM sqlite_schema
WHERE name NOT LIKE 'sqlite_%' AND (type <> 'table' OR sql LIKE 'CREATE VIRTUAL TABLE%')
"""


def catalogue_of(connection: Connection, schema: str) -> Catalogue:
    """Tables, columns, constraints, indexes and whatever else a service has in its database.

    Args:
        connection: to its database.
        schema: the service's name; SQLite does without.
    """
    if connection.dialect.name == "postgresql":
        found = {
            f"{kind} {name}": _squeezed(words)
            for query in _POSTGRESQL
            for kind, name, words in connection.execute(text(query), {"schema": schema})
        }
    else:
        found = _of_sqlite(connection)
    return {name: each for name, each in found.items() if VERSION_TABLE not in name}


def _of_sqlite(connection: Connection) -> Catalogue:
    found = {
        f"{kind} {name}": _squeezed(words)
        for kind, name, words in connection.execute(text(_SQLITE))
    }
    listed = connection.execute(text("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
    made = {name: re.findall("WITHOUT ROWID|AUTOINCREMENT", sql) for name, sql in listed}
    inspector = inspect(connection)
    for table in inspector.get_table_names():
        found.setdefault(f"table {table}", ", ".join(made[table]) or "table")
        for column in connection.execute(text(f'PRAGMA table_xinfo("{table}")')).mappings():
            default = f" DEFAULT {column['dflt_value']}" if column["dflt_value"] else ""
            null = " NOT NULL" if column["notnull"] else ""
            found[f"column {table}.{column['name']}"] = f"{column['type']}{null}{default}"
        for name, words in _constraints(inspector, table):
            found[f"constraint {table}.{name or words}"] = words
    return found


def _constraints(inspector: Inspector, table: str) -> list[tuple[Any, str]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        primary = inspector.get_pk_constraint(table)
        found = [(primary["name"], f"PRIMARY KEY {primary['constrained_columns']}")]
        for each in inspector.get_foreign_keys(table):
            target = f"{each['referred_table']} {each['referred_columns']} {each['options']}"
            key = f"FOREIGN KEY {each['constrained_columns']} REFERENCES {target}"
            found.append((each["name"], key))
        found += [
            (each["name"], f"UNIQUE {each['column_names']}")
            for each in inspector.get_unique_constraints(table)
        ]
        found += [
            (each["name"], f"CHECK {_squeezed(each['sqltext'])}")
            for each in inspector.get_check_constraints(table)
        ]
    return [(name, words) for name, words in found if words != "PRIMARY KEY []"]


def _squeezed(words: str) -> str:
    return re.sub(r"\s+", " ", words).strip()
