"""`muniment up`: starts everything a home needs and says where it is."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from muniment.account.outside import sending_command
from muniment.answer.rooms import end_all
from muniment.cli.asking import machine_secret
from muniment.cli.options import common, emit
from muniment.people.moment import LONDON
from muniment.policy.errors import kind_of
from muniment.policy.policyfile import PolicyFile, load
from muniment.record.home import Home
from muniment.serve.gateway_settings import refused_doors
from muniment.serve.private_memory import keep_private
from muniment.serve.supervisor import PolicyWatch, Stopping, running, services_of, wait_until_one_ends
from muniment.site import prepare


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("up", help="start the recorder, the mail gateway and the console")
    common(parser)
    parser.set_defaults(handler=run)


def run(args: argparse.Namespace) -> int:
    """Start every process of the home and wait until one is asked to stop."""
    home = Home(args.home.absolute())
    policy = load(home.policy_file)
    secret = machine_secret(home)
    watch = PolicyWatch(home)
    prepare(home, example_people=policy.example)
    keep_private()
    for refusal in refused_doors(policy, datetime.now(LONDON).date()).values():
        print(f"muniment: {refusal}", file=sys.stderr, flush=True)
    with Stopping() as stopping, running(services_of(home, policy), secret) as services:
        places = {service.name: service.place for service in services}
        emit(args, {"example": policy.example, "services": places}, welcome(policy, places, _hint(args.home)))
        sys.stdout.flush()
        ended = wait_until_one_ends(services, stopping, watch)
    end_all(home)
    if ended is not None and ended.process is not None:
        raise kind_of(ended.process.returncode)(
            f"the {ended.name} ended by itself, so everything was stopped; what it said stands above"
        )
    emit(args, {"stopped": True}, ["Stopped. Nothing is lost: mail waits with its senders."])
    return 0


def _hint(home: Path) -> str:
    """Return how another command is called from here; `{}` stands for its name."""
    called = Path(sys.argv[0])
    name = str(called) if called.name == "muniment" and not shutil.which("muniment") else "muniment"
    is_default = home.absolute() == Path(os.environ.get("MUNIMENT_HOME", "home")).absolute()
    return f"{name} {{}}" if is_default else f"{name} {{}} --home {home}"


def welcome(policy: PolicyFile, places: Mapping[str, str], hint: str = "muniment {}") -> list[str]:
    """Return what a person reads when everything runs; `hint` is how the next command is called."""
    stamp = "EXAMPLE. " if policy.example else ""
    lines = [f"{stamp}{policy.organisation.name}: everything runs. Stop it with Ctrl-C."]
    lines += [f"  {name:14} {place}" for name, place in places.items()]
    if policy.example:
        lines.append(
            "Sign in to the console as one of the example's people: see sheets/EXAMPLE-sign-in.txt in the home"
        )
    if policy.example and policy.gateway.inside:
        lines += [
            "Send a message through the gateway:",
            f"  {sending_command(policy)}",
            f"See it in the outside world:  {hint.replace('{}', 'outside')}",
            f"See it in the record:         {hint.replace('{}', 'status')}",
        ]
    return lines
