"""The commands of an artifact that look after the tables of its services.

What they need is imported when one is run: most often an artifact is to serve, and at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Final

from cyclopts import App, Parameter

from seam.persistence.migrations import MigrationError, Migrations
from seam.persistence.migrations.revisions import BASE
from seam.runtime.declarations import check_migrations
from seam.runtime.service import DatabaseLocation
from seam.runtime.service_settings import SettingsError
from seam.runtime.settings import (
    Artifact,
    Settings,
    check_databases,
    database_location,
)

EXIT_BEHIND: Final = 1


def add_migration_commands(app: App, artifact: Artifact) -> None:
    """Give an artifact the commands `migrate` and `downgrade`."""

    @app.command
    def migrate(
        *services: str,
        check: Annotated[bool, Parameter(negative=())] = False,
        sql: Annotated[bool, Parameter(negative=())] = False,
        since: str = BASE,
        admin_url: Annotated[str | None, Parameter(show_default=False)] = None,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Bring the tables of services to what this version needs.

        Each revision is a transaction: what fails, or is cut off, leaves nothing half done, and may
        be run again. Older versions may go on serving meanwhile.

        Args:
            services: whose tables; those of all services by default.
            check: change nothing; name the services that are behind and, if there are any, end
                with exit code 1.
            sql: change nothing, connect to nothing, and print the SQL for those who run it by hand.
            since: with --sql, the revision that the database is at.
            admin_url: postgresql://ADMIN@HOST:PORT/DATABASE of an administrator, who first gives
                each service that has a PostgreSQL database its role (the one in its URL, with
                the password there), its schema, and the right to that schema alone. Better given
                by the environment, since a command line can be seen by others.
            settings: where the system's parts are.
        """
        chosen = _chosen(artifact, settings, services)
        if since != BASE and not sql:
            raise SettingsError("--since goes with --sql: a database knows which revision it is at")
        if sql:
            return _print_sql(chosen, since)
        if check:
            return _check(chosen)
        if admin_url is not None:
            _create_roles(admin_url, chosen)
        return _upgrade(chosen)

    @app.command
    def downgrade(
        service: str,
        revision: str,
        /,
        *,
        settings: Settings = Settings(),  # noqa: B008
    ) -> int:
        """Bring the tables of one service back to an earlier revision.

        What was kept in tables and columns that go is lost. Stop what needs them first.

        Args:
            service: whose tables.
            revision: the revision to go back to; `base` leaves no table.
            settings: where the system's parts are.
        """
        from seam.persistence.migrations.steps import downgrade as run  # noqa: PLC0415

        ((migrations, location),) = _chosen(artifact, settings, (service,))
        with _progress(service) as tell:
            undone = run(location.url, migrations, revision, tell)
        for each in undone:
            print(f"{service}: undid {each} {migrations.titles[each]}")
        print(f"{service}: at {revision}")
        return 0


Chosen = Sequence[tuple[Migrations, DatabaseLocation]]


def _chosen(artifact: Artifact, settings: Settings, names: Sequence[str]) -> Chosen:
    """The services that were named, or all, and where their data is.

    Raises:
        SettingsError: there is no such service, or it has no tables.
    """
    topology = artifact.topology(settings)
    for service in artifact.services:
        check_migrations(service)
    check_databases(settings, [service.name for service in artifact.services])
    migrations = {
        service.name: service.migrations
        for service in artifact.services
        if service.migrations is not None
    }
    for name in names:
        if name not in migrations:
            expected = ", ".join(migrations) or "none, since no service here has tables"
            raise SettingsError(f"'{name}' has no tables here; expected {expected}")
    return [
        (each, database_location(settings, name, topology))
        for name, each in migrations.items()
        if not names or name in names
    ]


def _upgrade(chosen: Chosen) -> int:
    from seam.persistence.migrations.steps import upgrade  # noqa: PLC0415

    for migrations, location in chosen:
        with _progress(migrations.service) as tell:
            done = upgrade(location.url, migrations, tell)
        for each in done:
            print(f"{migrations.service}: ran {each} {migrations.titles[each]}")
        print(f"{migrations.service}: at {migrations.head}")
    return 0


def _check(chosen: Chosen) -> int:
    from seam.persistence.migrations.status import problem  # noqa: PLC0415

    found = [
        f"{migrations.service}: {why}"
        for migrations, location in chosen
        if (why := problem(location.url, migrations)) is not None
    ]
    for line in found:
        print(line)
    return EXIT_BEHIND if found else 0


def _print_sql(chosen: Chosen, since: str) -> int:
    from seam.persistence.migrations.offline import (  # noqa: PLC0415
        postgresql_script,
        sqlite_script,
    )
    from seam.persistence.migrations.roles import role_of  # noqa: PLC0415

    for migrations, location in chosen:
        if location.url.startswith("sqlite"):
            print(f"-- {migrations.service}: {location.url.removeprefix('sqlite:///')}")
            print(sqlite_script(migrations, since))
        else:
            role = role_of(migrations.service, location.url)
            print(postgresql_script(migrations, role, since))
    return 0


def _create_roles(admin_url: str, chosen: Chosen) -> None:
    from seam.persistence.migrations.roles import create_role, role_of  # noqa: PLC0415

    if not admin_url.startswith("postgresql://"):
        raise SettingsError("--admin-url: expected postgresql://ADMIN@HOST:PORT/DATABASE")
    roles = {
        migrations.service: (role_of(migrations.service, location.url), location.url)
        for migrations, location in chosen
        if location.url.startswith("postgresql")
    }
    if not roles:
        raise SettingsError("--admin-url: no service here has a PostgreSQL database")
    owners: dict[tuple[str, str], str] = {}
    for service, (role, _) in roles.items():
        other = owners.setdefault((role.name, role.database), service)
        if other != service:
            raise MigrationError(
                f"{other} and {service} have one role, '{role.name}': give each its own"
            )
    for service, (role, url) in roles.items():
        create_role(admin_url, role, url)
        print(f"{service}: role {role.name} has schema {service} of {role.database}, and no more")


@contextmanager
def _progress(service: str) -> Iterator[Callable[[str, int], object]]:
    """Show on a terminal which revision runs, for how long, and how many there are."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        task = progress.add_task(service, total=None)
        done = -1

        def tell(revision: str, left: int) -> None:
            nonlocal done
            done += 1
            progress.update(
                task, description=f"{service} {revision}", completed=done, total=done + left
            )

        yield tell
