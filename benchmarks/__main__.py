"""`python -m benchmarks [FIGURE...]`: measures, prints the table, and writes it as JSON when asked."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from benchmarks import (
    approving,
    attachments,
    backing_up,
    cold_start,
    forgetting,
    importing,
    pages,
    permitting,
    remaking,
    rooming,
    scanning,
    seal,
    shielding,
    smtp,
    verifying,
)
from benchmarks.harness import Figure, Options, machine, say, table

FIGURES: dict[str, Callable[[Options], Iterator[Figure]]] = {
    "seal": seal.measure,
    "smtp-recording": smtp.measure_recording,
    "smtp-pass-through": smtp.measure_pass_through,
    "import": importing.measure,
    "attachments": attachments.measure,
    "verify": verifying.measure,
    "rebuild": remaking.measure,
    "backup": backing_up.measure,
    "permit": permitting.measure,
    "approving": approving.measure,
    "shielding": shielding.measure,
    "pages": pages.measure,
    "room": rooming.measure,
    "scan": scanning.measure,
    "cold-start": cold_start.measure,
    "forgetting": forgetting.measure,
}
DEFAULT_MAIL = Path(__file__).parents[2] / "shared" / "data" / "mail"


def main() -> int:
    """Run the figures named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"of {', '.join(FIGURES)}; default all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    parser.add_argument("--rounds", type=int, default=5, help="rounds after the warm-up (default 5)")
    parser.add_argument("--messages", type=int, default=10_000, help="messages a round (default 10,000)")
    parser.add_argument("--entries", type=int, default=1_000_000, help="for cold-start (default 1,000,000)")
    parser.add_argument(
        "--mail",
        type=Path,
        default=DEFAULT_MAIL if DEFAULT_MAIL.is_dir() else None,
        help="mail to import; default ../shared/data/mail, without it generated messages",
    )
    parser.add_argument(
        "--dir", type=Path, default=Path("/var/tmp"), help="on the disk to measure (default /var/tmp)"
    )
    args = parser.parse_args()
    if unknown := set(args.figures) - set(FIGURES):
        parser.error(f"there is no figure {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    options = Options(
        folder=args.dir, rounds=args.rounds, messages=args.messages, entries=args.entries, mail=args.mail
    )
    facts = machine(options)
    found: list[Figure] = []
    for name in args.figures or FIGURES:
        say(f"{name}:")
        found += FIGURES[name](options)
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print("\n".join(table(found)))
    if args.json:
        args.json.write_bytes(msgspec.json.format(msgspec.json.encode({"machine": facts, "figures": found})))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
