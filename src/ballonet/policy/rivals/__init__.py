"""What others do: their published rules, each written afresh, behind the same port as our own.

A rule is a function of the same snapshot, memory and settings, and gives the same kind of plan. What its
program would not know is not told to it, and what would stop it from harm here (verdicts, floors, shrinking
before growing) is given to all alike. The budget stands for the host's memory.
"""

from collections.abc import Callable, Mapping
from typing import Final

from ballonet.facts.memory import Memory
from ballonet.facts.plan import Plan
from ballonet.facts.snapshot import Snapshot
from ballonet.policy.rivals.esx import esx
from ballonet.policy.rivals.guest import hyper_v, virtui, xen
from ballonet.policy.rivals.host import equal_split, mom, proxmox
from ballonet.policy.rivals.rule import none
from ballonet.policy.rivals.senpai import senpai
from ballonet.policy.settings import Settings

Policy = Callable[[Snapshot, Memory, Settings], Plan]

RIVALS: Final[Mapping[str, Policy]] = {
    "none": none,
    "equal": equal_split,
    "proxmox": proxmox,
    "mom": mom,
    "virtui": virtui,
    "hyper-v": hyper_v,
    "xen": xen,
    "senpai": senpai,
    "esx": esx,
}
