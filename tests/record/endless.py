"""Records messages for ever and prints the number of each once it is acknowledged; tests kill it."""

from __future__ import annotations

import sys
from pathlib import Path

from muniment.record.home import Home
from tests.record.recording import mail, recording


def main() -> None:
    number = 0
    print("begin", flush=True)
    with recording(Home(Path(sys.argv[1]))) as record:
        while True:
            batch = list(range(number, number + 1 + number % 7))
            record.append([mail(n) for n in batch])
            sys.stdout.write("".join(f"{n}\n" for n in batch))
            sys.stdout.flush()
            number += len(batch)
            if number % 5 == 0:
                record.tick()


if __name__ == "__main__":
    main()
