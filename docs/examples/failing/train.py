"""Fit the mean basket per country, from a table in which somebody renamed a column: `amount` is `amount_usd` now."""

import csv
import io
import logging
import sys
import time

ORDERS = """\
order_id,country,amount_usd
1,KR,35.0
2,US,18.5
3,US,27.0
"""

log = logging.getLogger("train")


def main() -> None:
    """Read, check, fit; the fit fails with a KeyError."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    orders = list(csv.DictReader(io.StringIO(ORDERS)))
    log.info("read %d orders from %d countries", len(orders), len({order["country"] for order in orders}))
    log.info("columns: %s", ", ".join(orders[0]))
    time.sleep(2)  # long enough to be seen at work
    log.info("fitting the mean basket per country")
    for country, mean in mean_baskets(orders).items():
        log.info("%s: %.2f", country, mean)


def mean_baskets(orders: list[dict[str, str]]) -> dict[str, float]:
    """Return the mean amount of the orders of each country."""
    baskets: dict[str, list[float]] = {}
    for order in orders:
        baskets.setdefault(order["country"], []).append(float(order["amount"]))
    return {country: sum(amounts) / len(amounts) for country, amounts in baskets.items()}


if __name__ == "__main__":
    main()
