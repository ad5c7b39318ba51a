"""The witness policy of a policy file, read and checked whole.

Source: R-2.1-b; C2SP tlog-policy.
"""

from __future__ import annotations

from muniment.policy.errors import BadInput
from muniment.policy.policyfile import PolicyFile
from muniment.policy.shape import Mistake
from muniment.policy.witness import url_mistake
from muniment.record.ledger.policy import NO_WITNESS, TrustPolicy, parse_policy

NOBODY = TrustPolicy(NO_WITNESS)
_CLAUSE = "R-2.1-b"


def trust_policy_of(policy: PolicyFile, origin: str) -> TrustPolicy:
    """Return who may witness the log `origin`; `NOBODY` when the policy file names no witness.

    Raises: BadInput with key, clause and mend.
    """
    if not policy.witness.policy.strip():
        return NOBODY
    try:
        found = parse_policy(policy.witness.policy.encode())
    except BadInput as error:
        raise _mistake(str(error), "Mend that line, or take the table out.") from None
    if found.quorum == NO_WITNESS:
        raise _mistake(
            "its quorum is none, so nobody need witness",
            "Name a witness or a group, for instance: quorum union",
        )
    if found.logs and origin not in {log.key.name for log in found.logs}:
        raise _mistake(f"its logs are not {origin}", "Take its log lines out; the record knows its own key.")
    for witness in found.witnesses:
        wrong = url_mistake(witness.url, example=policy.example) if witness.url else "has no address"
        if wrong:
            raise _mistake(
                f"the witness {witness.name}: {wrong}", "Write: witness NAME KEY http://HOST:PORT/"
            )
    return found


def _mistake(wrong: str, mend: str) -> BadInput:
    return BadInput(str(Mistake("witness.policy", _CLAUSE, wrong, mend)))
