"""What the shop sells: a list that begins with the same items in every run, and that callers add to and remove from."""

from typing import NamedTuple

__all__ = ["Item", "Items"]

_WARES = ("lamp", "chair", "table", "clock", "shelf")
_IN_STOCK = 25


class Item(NamedTuple):
    """A thing with its price."""

    id: int
    name: str
    price: float


class Items:
    """All items by id, in the order in which they were added."""

    def __init__(self) -> None:
        self._items: dict[int, Item] = {}
        self._added = 0
        for number in range(_IN_STOCK):
            self.add(f"{_WARES[number % len(_WARES)]} {number + 1}", 5.0 + number)

    @property
    def all(self) -> list[Item]:
        """The items, oldest first."""
        return list(self._items.values())

    def add(self, name: str, price: float) -> Item:
        """Add an item under the next id, and return it."""
        self._added += 1
        return self._put(Item(self._added, name, price))

    def find(self, item_id: int) -> Item | None:
        """Return the item of an id, None when it was never added or is gone."""
        return self._items.get(item_id)

    def change(self, item: Item, name: str, price: float) -> Item:
        """Give an item another name and price, and return it as it is now."""
        return self._put(Item(item.id, name, price))

    def remove(self, item: Item) -> None:
        """Take an item away that is there."""
        del self._items[item.id]

    def _put(self, item: Item) -> Item:
        self._items[item.id] = item
        return item
