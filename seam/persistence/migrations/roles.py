"""A role and a schema for one service in PostgreSQL, made by an administrator.

What an administrator runs by hand is what the command runs: these statements. They may be run again
at any time, change nothing that is right already, and end with checks that the role can touch
nothing else, so that a server which grants more than it should is found out here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from sqlalchemy import Connection, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from seam.persistence.database import database_url
from seam.persistence.migrations.connection import run_on_postgresql
from seam.persistence.migrations.revisions import MigrationError
from seam.persistence.migrations.scram import scram_verifier

MAXIMUM_NAME_BYTES: Final = 63
"""What is longer is cut off by PostgreSQL without a word, and would be somebody else's."""

_RESERVED: Final = frozenset({"public", "none"})

Salt: TypeAlias = Callable[[], bytes]


def _random_salt() -> bytes:
    return os.urandom(16)


@dataclass(frozen=True, slots=True)
class Role:
    """Who a service is in its database.

    Attributes:
        service: the service, and the name of its schema.
        name: the role's name.
        password: its password, if its URL tells one.
        database: the database's name.
    """

    service: str
    name: str
    password: str | None = field(repr=False)
    database: str


def role_of(service: str, url: str) -> Role:
    """The role that a PostgreSQL URL names for a service.

    Raises:
        MigrationError: it names none, or one that no service can have.
    """
    location = database_url(url)
    user, password = location.query.get("user"), location.query.get("password")
    name = location.username or (user if isinstance(user, str) else None)
    if name is None:
        raise MigrationError(f"the URL of {service} names no role; expected postgresql://ROLE@…")
    if location.database is None:
        raise MigrationError(f"the URL of {service} names no database; expected …/DATABASE")
    for kind, each in (("role", name), ("schema", service), ("database", location.database)):
        _check_name(service, kind, each)
    told = location.password or (password if isinstance(password, str) else None)
    return Role(service, name, told, location.database)


def create_role(admin_url: str, role: Role, url: str) -> None:
    """Create a service's role and schema, or bring them up to date.

    Args:
        admin_url: the server that `url` leads to, as an administrator.
        role: what is to be there.
        url: the service's database.

    Raises:
        CannotOpenDatabaseError: the database cannot be reached.
        MigrationError: the URLs do not go together, or the server refuses.
    """
    admin, location = make_url(admin_url), database_url(url)
    if _server(admin) != _server(location):
        raise MigrationError(
            f"{role.service} is at {_shown(location)}, and --admin-url is of {_shown(admin)}: "
            f"run 'migrate {role.service}' with the URL of an administrator there"
        )
    there = admin.set(drivername="postgresql", database=role.database)
    try:
        run_on_postgresql(there.render_as_string(hide_password=False), partial(_run, role))
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0].partition(">: ")
        raise MigrationError(f"the role of {role.service}: {reason[2] or reason[0]}") from None


def role_statements(role: Role, salt: Salt = _random_salt) -> list[str]:
    """The statements that make a role and its schema, for an administrator in its database."""
    name, schema, database = (quoted(each) for each in (role.name, role.service, role.database))
    password = ""
    if role.password is not None:
        password = f" PASSWORD {_literal(scram_verifier(role.password, salt()))}"
    return [
        _block(_CREATE, role),
        f"ALTER ROLE {name} LOGIN{password}",
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {name}",
        _block(_CLOSE_PUBLIC, role),
        f"CREATE SCHEMA IF NOT EXISTS {schema}",
        f"ALTER SCHEMA {schema} OWNER TO {name}",
        f"REVOKE ALL ON SCHEMA {schema} FROM PUBLIC",
        _block(_HAND_OVER, role),
        f"ALTER ROLE {name} IN DATABASE {database} SET search_path = {schema}",
        _block(_CHECK, role),
    ]


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


_CREATE: Final = """\
DECLARE
    role pg_roles;
BEGIN
    IF current_user = {role} THEN
        RAISE EXCEPTION 'it is the administrator: name another role in its URL';
    END IF;
    SELECT * INTO role FROM pg_roles WHERE rolname = {role};
    IF NOT FOUND THEN
        CREATE ROLE {role_name} LOGIN;
    ELSIF role.rolsuper OR role.rolcreaterole OR role.rolcreatedb OR role.rolreplication
        OR role.rolbypassrls
    THEN
        RAISE EXCEPTION '% may do more than a service should: name another role', {role};
    ELSIF EXISTS (SELECT FROM pg_auth_members WHERE member = role.oid) THEN
        RAISE EXCEPTION '% is a member of other roles: name another role', {role};
    ELSIF EXISTS (
        SELECT FROM pg_namespace WHERE nspowner = role.oid AND nspname <> {schema}
    ) THEN
        RAISE EXCEPTION '% has another schema already: name another role', {role};
    END IF;
    -- An administrator who is no superuser hands over only what is to be its own as well.
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT {role_name} TO CURRENT_USER;
    END IF;
END"""

_CLOSE_PUBLIC: Final = """\
BEGIN
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public') THEN
        REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    END IF;
END"""

_HAND_OVER: Final = """\
DECLARE
    each regclass;
BEGIN
    FOR each IN
        SELECT oid FROM pg_class
        WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = {schema})
            AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            AND pg_get_userbyid(relowner) <> {role}
            AND NOT EXISTS (
                SELECT FROM pg_depend
                WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                    AND deptype IN ('a', 'i')
            )
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %I', each, {role});
    END LOOP;
END"""

_CHECK: Final = """\
DECLARE
    what text;
BEGIN
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        REVOKE {role_name} FROM CURRENT_USER;
    END IF;
    IF has_database_privilege({role}, current_database(), 'CREATE, TEMPORARY') THEN
        what := 'create schemas or temporary tables';
    ELSE
        SELECT 'create in schema ' || nspname INTO what FROM pg_namespace
            WHERE nspname <> {schema} AND has_schema_privilege({role}, oid, 'CREATE') LIMIT 1;
    END IF;
    IF what IS NULL THEN
        SELECT 'reach ' || c.oid::regclass INTO what
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname NOT IN ({schema}, 'information_schema') AND n.nspname !~ '^pg_'
                AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND has_schema_privilege({role}, n.oid, 'USAGE')
                AND has_table_privilege({role}, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
                AND NOT EXISTS (
                    SELECT FROM pg_depend
                    WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'
                )
            LIMIT 1;
    END IF;
    IF what IS NOT NULL THEN
        RAISE EXCEPTION '% may %: take that right away, or run this as the database''s owner',
            {role}, what;
    END IF;
END"""


def _block(body: str, role: Role) -> str:
    text = body.format(
        role=_literal(role.name), role_name=quoted(role.name), schema=_literal(role.service)
    )
    tag = "$seam$"
    while tag in text:
        tag = f"{tag[:-1]}_$"
    return f"DO {tag}\n{text}\n{tag}"


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'" if "\\" not in text else "E'" + doubled.replace("\\", "\\\\") + "'"


def _run(role: Role, connection: Connection) -> None:
    for statement in role_statements(role):
        connection.exec_driver_sql(statement)


def _check_name(service: str, kind: str, name: str) -> None:
    size = len(name.encode(errors="replace"))
    reserved = kind != "database" and (name.startswith("pg_") or name in _RESERVED)
    if not name.isprintable() or not 1 <= size <= MAXIMUM_NAME_BYTES or reserved:
        raise MigrationError(
            f"{service} cannot have the {kind} {name[:80]!r}: expected 1 to {MAXIMUM_NAME_BYTES} "
            "bytes of printable text that PostgreSQL does not keep for itself"
        )


def _server(url: URL) -> tuple[object, object]:
    return url.query.get("host", url.host), int(str(url.query.get("port", url.port or 5432)))


def _shown(url: URL) -> str:
    host, port = _server(url)
    return f"{host or 'no host'}:{port}"
