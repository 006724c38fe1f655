"""A service's role can touch its own schema and nothing else, as the database sees it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import MetaData, make_url

from seam.persistence import CannotOpenDatabaseError, open_database
from seam.persistence.migrations import MigrationError
from seam.persistence.migrations.connection import run_in_transaction
from seam.persistence.migrations.roles import create_role, role_of, role_statements
from seam.testing.databases import StoppablePostgres

NAMES = ("orders", "carts")


@dataclass
class Shop:
    """A database of its own on the test's server."""

    server: Any
    admin_url: str

    def url(self, role: str, password: str | None = None) -> str:
        return (
            make_url(self.admin_url)
            .set(username=role, password=password)
            .render_as_string(hide_password=False)
        )

    def create(self, service: str, role: str | None = None, password: str | None = None) -> str:
        url = self.url(role or service, password)
        create_role(self.admin_url, role_of(service, url), url)
        return url

    def execute(self, url: str, *statements: str) -> list[Any]:
        async def run() -> list[Any]:
            connection = await asyncpg.connect(url)
            try:
                rows: list[Any] = []
                for statement in statements:
                    rows = await connection.fetch(statement)
                return [tuple(row) for row in rows]
            finally:
                await connection.close()

        return asyncio.run(run())

    def admin(self, *statements: str) -> list[Any]:
        return self.execute(self.admin_url, *statements)


@pytest.fixture
def shop(postgres_server: Any) -> Iterator[Shop]:
    before = set(_roles(postgres_server))
    postgres_server.psql("CREATE DATABASE shop;")
    url = make_url(postgres_server.get_uri()).set(database="shop")
    yield Shop(postgres_server, url.render_as_string(hide_password=False))
    postgres_server.psql("DROP DATABASE shop WITH (FORCE);")
    for name in set(_roles(postgres_server)) - before:
        quoted = name.replace('"', '""')
        postgres_server.psql(f'DROP ROLE "{quoted}";')


def _roles(server: Any) -> list[str]:
    listed: str = server.psql("COPY (SELECT rolname FROM pg_roles) TO STDOUT;")
    return listed.splitlines()


def denied(shop: Shop, url: str, statement: str) -> str:
    with pytest.raises(asyncpg.InsufficientPrivilegeError) as caught:
        shop.execute(url, statement)
    return str(caught.value)


def test_a_role_has_its_schema(shop: Shop) -> None:
    url = shop.create("orders")
    assert shop.execute(
        url,
        "CREATE TABLE placed (number INTEGER PRIMARY KEY)",
        "INSERT INTO placed VALUES (1)",
        "ALTER TABLE placed ADD COLUMN words VARCHAR",
        "SELECT number, words, current_schema() FROM orders.placed",
    ) == [(1, None, "orders")]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM carts.cart",
        "INSERT INTO carts.cart VALUES (1)",
        "DELETE FROM carts.cart",
        "SELECT c.number FROM orders.placed p JOIN carts.cart c ON p.number = c.number",
        "CREATE TABLE carts.mine (number INTEGER)",
        "DROP SCHEMA carts CASCADE",
        "CREATE SCHEMA another",
        "CREATE TABLE public.mine (number INTEGER)",
        "CREATE FUNCTION public.mine() RETURNS INTEGER LANGUAGE sql RETURN 1",
        "CREATE TEMPORARY TABLE mine (number INTEGER)",
        "SELECT * FROM public.secret",
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE ROLE friend",
        "CREATE DATABASE mine",
        "GRANT carts TO orders",
        "SET ROLE carts",
        "ALTER ROLE carts PASSWORD 'x'",
    ],
)
def test_the_database_refuses_a_role_everything_else(shop: Shop, statement: str) -> None:
    orders, carts = (shop.create(name) for name in NAMES)
    shop.admin("CREATE TABLE public.secret (number INTEGER)")
    shop.execute(orders, "CREATE TABLE placed (number INTEGER)")
    shop.execute(carts, "CREATE TABLE cart (number INTEGER)")
    assert re.search("permission denied|must be owner of schema", denied(shop, orders, statement))


def test_a_role_may_not_enter_the_database_of_another_service(shop: Shop) -> None:
    orders = shop.create("orders")
    shop.server.psql("CREATE DATABASE apart;")
    try:
        url = make_url(shop.admin_url).set(database="apart", username="carts")
        carts = url.render_as_string(hide_password=False)
        create_role(shop.admin_url, role_of("carts", carts), carts)
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            shop.execute(make_url(orders).set(database="apart").render_as_string(), "SELECT 1")
        assert shop.execute(carts, "SELECT current_schema()") == [("carts",)]
    finally:
        shop.server.psql("DROP DATABASE apart WITH (FORCE);")


def test_it_may_be_run_again_and_changes_nothing_then(shop: Shop) -> None:
    url = shop.create("orders")
    shop.execute(url, "CREATE TABLE placed (number SERIAL PRIMARY KEY)")
    state = "SELECT nspname, nspacl::text, nspowner FROM pg_namespace ORDER BY 1"
    before = shop.admin(state)
    assert shop.create("orders") == url
    assert shop.admin(state) == before


def test_tables_that_an_administrator_has_made_are_handed_over(shop: Shop) -> None:
    shop.admin(
        "CREATE SCHEMA orders",
        "CREATE TABLE orders.placed (number SERIAL PRIMARY KEY)",
        "CREATE VIEW orders.seen AS SELECT * FROM orders.placed",
        "CREATE SEQUENCE orders.next",
    )
    url = shop.create("orders")
    shop.execute(url, "INSERT INTO placed VALUES (DEFAULT)", "ALTER TABLE placed ADD x INTEGER")
    assert shop.execute(url, "SELECT number FROM seen") == [(1,)]


@pytest.mark.parametrize(
    "name", ['a"; DROP ROLE b; --', "it's", "a b", "Ünï", "$seam$", "a\\b", "%s", "{role}", "x:y"]
)
def test_a_role_of_any_name_is_quoted(shop: Shop, name: str) -> None:
    url = shop.create("orders", name, password="p'\\$seam$")
    assert shop.execute(url, "SELECT current_user::text, current_schema()") == [(name, "orders")]


@pytest.mark.parametrize("name", ["pg_monitor", "public", "a\0b", "a\nb", "x" * 64, "ü" * 32])
def test_a_role_that_no_service_can_have_is_refused(name: str) -> None:
    url = make_url("postgresql://h/shop").set(username=name).render_as_string()
    with pytest.raises(MigrationError, match="orders cannot have the role"):
        role_of("orders", url)


def test_a_schema_that_no_service_can_have_is_refused() -> None:
    with pytest.raises(MigrationError, match="cannot have the schema 'pg_orders'"):
        role_of("pg_orders", "postgresql://me@h/shop")


@pytest.mark.parametrize(
    ("url", "expected"),
    [("postgresql://h/shop", "names no role"), ("postgresql://me@h", "names no database")],
)
def test_a_url_must_say_who_and_where(url: str, expected: str) -> None:
    with pytest.raises(MigrationError, match=expected):
        role_of("orders", url)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("CREATE ROLE orders SUPERUSER", "orders may do more than a service should"),
        ("CREATE ROLE orders CREATEDB", "orders may do more than a service should"),
        ("CREATE ROLE orders IN ROLE pg_read_all_data", "orders is a member of other roles"),
        (
            "CREATE ROLE orders; CREATE SCHEMA carts AUTHORIZATION orders",
            "orders has another schema already",
        ),
        (
            "CREATE TABLE public.secret (x INTEGER); GRANT SELECT ON public.secret TO PUBLIC",
            "orders may reach secret: take that right away",
        ),
        (
            "CREATE SCHEMA open; GRANT CREATE ON SCHEMA open TO PUBLIC",
            "orders may create in schema open: take that right away",
        ),
    ],
)
def test_a_role_that_could_do_more_is_refused_and_nothing_is_made(
    shop: Shop, before: str, expected: str
) -> None:
    shop.admin(*before.split(";"))
    with pytest.raises(MigrationError, match=f"the role of orders: {expected}"):
        shop.create("orders")
    assert shop.admin("SELECT nspname FROM pg_namespace WHERE nspname = 'orders'") == []


def test_the_administrator_is_no_role_for_a_service(shop: Shop) -> None:
    with pytest.raises(MigrationError, match="it is the administrator: name another role"):
        shop.create("orders", make_url(shop.admin_url).username)


def test_an_administrator_who_is_no_superuser_is_enough(shop: Shop) -> None:
    shop.admin("CREATE ROLE boss LOGIN CREATEROLE", "ALTER DATABASE shop OWNER TO boss")
    superuser, shop.admin_url = shop.admin_url, shop.url("boss")
    for _ in range(2):
        url = shop.create("orders")
    shop.execute(url, "CREATE TABLE IF NOT EXISTS placed (number INTEGER)")
    assert "permission denied" in denied(shop, shop.admin_url, "SELECT * FROM orders.placed")
    shop.admin_url = superuser


def test_an_administrator_who_may_not_close_the_database_is_told_so(shop: Shop) -> None:
    shop.admin("CREATE ROLE boss LOGIN CREATEROLE", "GRANT CREATE ON DATABASE shop TO boss")
    superuser, shop.admin_url = shop.admin_url, shop.url("boss")
    with pytest.raises(MigrationError, match="orders may create schemas or temporary tables: take"):
        shop.create("orders")
    shop.admin_url = superuser


def test_an_administrator_of_another_server_is_refused(shop: Shop) -> None:
    url = "postgresql://orders@elsewhere:5433/shop"
    with pytest.raises(MigrationError, match="orders is at elsewhere:5433, and --admin-url is of"):
        create_role(shop.admin_url, role_of("orders", url), url)


def test_a_database_that_is_not_there_is_named(shop: Shop) -> None:
    url = make_url(shop.url("orders")).set(database="none").render_as_string()
    with pytest.raises(CannotOpenDatabaseError, match='database "none" does not exist'):
        create_role(shop.admin_url, role_of("orders", url), url)


def test_what_is_printed_is_what_is_run_and_holds_no_password(shop: Shop) -> None:
    url = shop.url("orders", "open sesame")
    statements = role_statements(role_of("orders", url))
    script = ";\n".join(statements) + ";"
    assert "sesame" not in script
    shop.admin(*statements)
    assert shop.execute(url, "SELECT current_schema()") == [("orders",)]
    assert "sesame" not in repr(role_of("orders", url))


@pytest.fixture
def guarded(stoppable_postgres: StoppablePostgres) -> Shop:
    """A server that asks everybody but its administrator for a password."""
    shown = stoppable_postgres.psql("SHOW hba_file;")
    file = Path(next(line.strip() for line in shown.splitlines() if "pg_hba" in line))
    file.write_text(f"local all postgres trust\nlocal all all scram-sha-256\n{file.read_text()}")
    stoppable_postgres.psql("SELECT pg_reload_conf(); CREATE DATABASE shop;")
    url = make_url(stoppable_postgres.url).set(database="shop")
    return Shop(stoppable_postgres, url.render_as_string(hide_password=False))


def test_a_password_opens_the_database_and_a_wrong_one_does_not(guarded: Shop) -> None:
    for password in ("sesame", "a b:\\'\"@/%", "Ünï\N{NO-BREAK SPACE}ª²", "\u0627\u0031"):
        url = guarded.create("orders", password=password)
        assert guarded.execute(url, "SELECT current_user::text") == [("orders",)]
        with pytest.raises(asyncpg.InvalidPasswordError):
            guarded.execute(guarded.url("orders", "wrong"), "SELECT 1")


async def test_a_password_may_come_from_a_file(
    guarded: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(guarded.create, "orders", password="open sesame")
    url = guarded.url("orders")
    with pytest.raises(CannotOpenDatabaseError, match="password"):
        await asyncio.to_thread(run_in_transaction, url, "orders", lambda _: None)
    passfile = tmp_path / "pgpass"
    passfile.write_text("*:*:shop:orders:open sesame\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passfile))
    await asyncio.to_thread(run_in_transaction, url, "orders", lambda _: None)
    async with open_database(url, MetaData()) as database:
        assert await database.problem() is None
