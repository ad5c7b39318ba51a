"""The clockwork's part with witnesses: each minute the newest checkpoint goes to them, and what they say is kept.

Source: R-2.1-b; docs/operations/witness.md.
"""

from __future__ import annotations

from collections.abc import Callable

from muniment.policy.policyfile import load
from muniment.record.client import Recorder
from muniment.record.home import Home
from muniment.record.opening import origin_of
from muniment.record.witnessed.settings import trust_policy_of
from muniment.record.witnessed.submission import Submitter

Say = Callable[[str], None]


class WitnessRound:
    """Submits the newest checkpoint, once a call; says once what did not go well."""

    def __init__(self, home: Home, say: Say) -> None:
        self._home, self._say = home, say
        self._submitter = Submitter(home)

    def run(self) -> None:
        """Ask every witness for its cosignature and hand what they said to the recorder.

        Raises: Unavailable when the recorder does not answer; Tampered when a cosignature does not fit.
        """
        policy = load(self._home.policy_file)
        trusted = trust_policy_of(policy, origin_of(policy))
        if not trusted.witnesses:
            return
        with Recorder(self._home.socket) as recorder:
            checkpoint = recorder.checkpoint()
            found = self._submitter.submit(checkpoint, trusted)
            recorder.cosign(checkpoint, found.signatures, found.disputes)
        for name, said in found.disputes.items():
            self._say(f"the witness {name} {said}")
        for name, said in found.silent.items():
            self._say(f"the witness {name} did not confirm: {said}")
