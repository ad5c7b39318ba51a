"""Compiles the register of people and the policy file into the snapshot the data planes read.

The only part of the snapshot that knows Django. Nothing in the file depends on the time of compiling, so that the
same register and policy give the same file, and every Decision that names its digest can be replayed.
"""

from __future__ import annotations

from pathlib import Path

from muniment.people.models import Address
from muniment.people.snapshot import Holding, encode, head_of, make_current
from muniment.policy.policyfile import PolicyFile
from muniment.record.disk import Disk
from muniment.record.home import Home


def compile_snapshot(policy: PolicyFile, home: Home, disk: Disk | None = None) -> Path:
    """Write the snapshot of `policy` and of everybody in the register, make it current, and return its path.

    Raises: as `snapshot.make_current`.
    """
    rows = Address.objects.filter(kind="mail").values_list("folded", "started", "ended", "person_id")
    data = encode(head_of(policy), (Holding(*row) for row in rows.iterator()))
    return make_current(home.snapshot_dir, data, disk or Disk())
