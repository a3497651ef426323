"""``tfsetup fix``: the smallest repair that makes an environment work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli import options
from provisioner.cli.apply import DEFAULT_WAIT_SECONDS, VERIFICATION_FAILED
from provisioner.cli.consent import ask
from provisioner.cli.output import print_json, print_text, say
from provisioner.local_host import LocalHost

if TYPE_CHECKING:
    from provisioner.flow_fix import Fixing
    from provisioner.model.diagnosis import Examination
    from provisioner.model.plan import Plan
    from provisioner.report.fix_text import Fixed, Outcome

FINDINGS, COULD_NOT_TELL = 11, 16
