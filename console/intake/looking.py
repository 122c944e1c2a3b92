"""Who may look up a receipt, and how often: guessing digits must not pay, nor shut the rightful owner out (C1).

Three limits, all in the database, so a restart forgives nobody:

- one sender (``network``) looks 30 times an hour, at whatever numbers;
- one sender gets the digits of one number wrong 8 times a day: then that sender is shut out, and nobody else;
- all senders together get the digits of one number wrong 40 times a week: then only senders are let in who sent
  that form, or had its digits right, within the year.

So of 10,000 possible digits an attacker with any number of addresses tries 40 a week: 0.4 %.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.intake import SqlIntakeCounts

_HOUR, _DAY, _WEEK, _YEAR = (timedelta(hours=hours) for hours in (1, 24, 7 * 24, 365 * 24))
LOOKS_BY_SENDER = 30
"""An hour."""
WRONG_BY_SENDER = 8
"""Of one number, a day."""
WRONG_BY_ALL = 40
"""Of one number, a week."""


@dataclass(frozen=True, slots=True)
class Looking:
    """The limits. Raises StorageUnavailable or StorageRefused."""

    counts: SqlIntakeCounts

    async def refused(self, number: str, sender: str, now: datetime) -> bool:
        """Count one look, as a wrong one for now; whether it is one too many. Numbers that do not exist are alike.

        Counted before the digits are compared: of many at once none slips through between asking and counting.
        """
        looks = await self.counts.tick("status", sender, now, _HOUR)
        if looks > LOOKS_BY_SENDER:
            return True
        if await self.counts.tick("status here", f"{number} {sender}", now, _DAY) > WRONG_BY_SENDER:
            return True
        everybodys = await self.counts.tick("status number", number, now, _WEEK)
        known = await self.counts.count("status known", f"{number} {sender}", now, _YEAR)
        return everybodys > WRONG_BY_ALL and not known

    async def right(self, number: str, sender: str, now: datetime) -> None:
        """The digits were right: the look does not count as a wrong one, and the sender is known from now on."""
        await self.counts.take_back("status here", f"{number} {sender}", now, _DAY)
        await self.counts.take_back("status number", number, now, _WEEK)
        await self.known(number, sender, now)

    async def known(self, number: str, sender: str, now: datetime) -> None:
        """This sender sent the form itself, or had the digits right."""
        await self.counts.tick("status known", f"{number} {sender}", now, _YEAR)


def network(address: str) -> str:
    """What is counted as one sender: an IPv4 address; of IPv6 the network, as a household has all of one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)
