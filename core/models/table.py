"""What every resource's table can do: the SQL stands in its own file, here it is only run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg import Record
from pydantic import BaseModel

from core.errors import NotFoundError
from core.models.conflict import reported
from core.postgres import Connection
from core.schema.page import Position


@dataclass(frozen=True, slots=True)
class Table[T: BaseModel]:
    """A resource's statements, each with its parameters in the order given here.

    Args:
        resource: Its name, in the singular.
        shown: What a row is shown as.
        fields: The columns that a request sets, in the order of their parameters.
        insert: Takes the id and the fields; returns the row.
        select: Takes an id; returns the row.
        lock: Takes an id; keeps others from changing the row, and returns something if it is there.
        page: Takes time and id to begin after, the limit, and the filters.
        update: Takes the id and the fields; returns the row.
        delete: Takes the id.
    """

    resource: str
    shown: type[T]
    fields: Sequence[str]
    insert: str
    select: str
    lock: str
    page: str
    update: str
    delete: str

    def row(self, row: Record) -> T:
        """A row as it is shown."""
        return self.shown.model_validate(dict(row))

    async def create(self, conn: Connection, row_id: UUID, values: Mapping[str, object]) -> T:
        """Insert a row.

        Raises:
            ConflictError: Something unique exists already.
            InvalidInputError: It refers to something that does not exist.
        """
        with reported(self.resource):
            made = await conn.fetchrow(self.insert, row_id, *(values[f] for f in self.fields))
        assert made is not None
        return self.row(made)

    async def one(self, conn: Connection, row_id: UUID) -> T:
        """The row with this id.

        Raises:
            NotFoundError: There is none.
        """
        found = await conn.fetchrow(self.select, row_id)
        if found is None:
            raise NotFoundError(self.resource, row_id)
        return self.row(found)

    async def locked(self, conn: Connection, row_id: UUID) -> T:
        """The row with this id, which nobody else changes until the transaction ends.

        Raises:
            NotFoundError: There is none.
        """
        if await conn.fetchrow(self.lock, row_id) is None:
            raise NotFoundError(self.resource, row_id)
        return await self.one(conn, row_id)

    async def list(
        self, conn: Connection, after: Position, limit: int, *filters: object
    ) -> list[T]:
        """Rows by creation time and id, one more than `limit` where there are more."""
        rows = await conn.fetch(self.page, after.at, after.id, limit + 1, *filters)
        return [self.row(row) for row in rows]

    async def change(
        self, conn: Connection, row_id: UUID, before: T, values: Mapping[str, object]
    ) -> T:
        """Write a row's fields anew, when one of them differs.

        Args:
            conn: In the transaction that locked the row.
            row_id: Which.
            before: The row as it is.
            values: What it is to be; fields that are left out stay.

        Raises:
            ConflictError: Something unique exists already.
            InvalidInputError: It refers to something that does not exist.
        """
        stood = before.model_dump(include=set(self.fields))
        wanted = stood | {name: values[name] for name in self.fields if name in values}
        if wanted == stood:
            return before
        with reported(self.resource):
            changed = await conn.fetchrow(self.update, row_id, *(wanted[f] for f in self.fields))
        assert changed is not None
        return self.row(changed)

    async def remove(self, conn: Connection, row_id: UUID) -> None:
        """Delete a row.

        Raises:
            NotFoundError: There is none.
            ConflictError: Something still refers to it.
        """
        with reported(self.resource, is_deletion=True):
            done = await conn.execute(self.delete, row_id)
        if done == "DELETE 0":
            raise NotFoundError(self.resource, row_id)
