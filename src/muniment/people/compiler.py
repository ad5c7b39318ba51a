"""Compiles the register of people and the policy file into the snapshot the data planes read.

The only part of the snapshot that knows Django. Nothing in the file depends on the time of compiling, so that the
same register and policy give the same file, and every Decision that names its digest can be replayed.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from muniment.people.models import Address
from muniment.people.snapshot import CURRENT, SUFFIX, GatewayRules, Head, Holding, encode
from muniment.policy.policyfile import PolicyFile
from muniment.record.disk import Disk
from muniment.record.home import Home


def compile_snapshot(policy: PolicyFile, home: Home, disk: Disk | None = None) -> Path:
    """Write the snapshot, make it the current one, and return its path.

    It is written whole and flushed before `current` names it; earlier snapshots stay, because Decisions name them.

    Raises: Unavailable when the disk does not take it; the earlier snapshot is current then.
    """
    disk = disk or Disk()
    rows = Address.objects.filter(kind="mail").values_list("folded", "started", "ended", "person_id")
    data = encode(head_of(policy), (Holding(*row) for row in rows.iterator()))
    digest = sha256(data).hexdigest()
    path = home.snapshot_dir / f"{digest}{SUFFIX}"
    disk.create_durable(path, data, 0o440)
    disk.write_durable(home.snapshot_dir / CURRENT, digest.encode() + b"\n")
    return path


def head_of(policy: PolicyFile) -> Head:
    """Return what a snapshot holds of the policy file."""
    return Head(
        policy=policy.digest,
        policy_version=policy.policy.version,
        example=policy.example,
        domains=tuple(sorted(policy.organisation.domains)),
        footer=policy.organisation.particulars,
        gateway=GatewayRules(policy.gateway.hostname, policy.gateway.max_message_bytes),
    )
