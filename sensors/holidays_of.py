"""Public holidays of a country, by a library that is kept up to date: also the days off that are shifted each year."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=64)
def holidays_of(country: str) -> Any:
    """Return the holidays of a country, or of a part of it (DE-BW). Raise `ValueError` when it is not known."""
    import holidays  # a third of a second, and few rules ask for it

    code, _, part = country.partition("-")
    try:
        return holidays.country_holidays(code, subdiv=part or None)
    except NotImplementedError as error:
        raise ValueError(f"no holidays are known of '{country[:20]}': write a country such as CN or DE-BW") from error
