#!/usr/bin/env python3
"""Scores the engine of `tfsetup explain` on a file of labelled reports: first right, in the first three, certain and wrong.

A finding counts when its cause is the report's `cause` or one of its `also_ok`.
Use: python tools/score.py REPORTS.jsonl [-v] [--even | --odd]
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.causes import Messages, open_messages
from provisioner.explain import weigh
from provisioner.explain.reading import split
from provisioner.host.local import LocalHost


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("-v", "--verbose", action="store_true")
    half = parser.add_mutually_exclusive_group()
    half.add_argument("--even", action="store_true", help="only reports whose number is even")
    half.add_argument("--odd", action="store_true", help="only reports whose number is odd; numbers, never their text")
    options = parser.parse_args()
    with open(options.file, encoding="utf-8") as file:
        reports = [json.loads(line) for line in file]
    if options.even or options.odd:
        reports = [report for report in reports if int(report["id"].rsplit("-", maxsplit=1)[-1]) % 2 == int(options.odd)]
    host, root = LocalHost(), find_profiles()
    messages, catalogue = open_messages(host, root), Catalogue.open(host, root)
    first = three = wrong = 0
    for report in reports:
        good = {report["cause"], *report["also_ok"]}
        findings = weigh(split(report["log"]), report["context"], messages, catalogue)
        causes = [finding.cause for finding in findings]
        certain = [finding.cause for finding in findings if finding.confidence == "certain" and finding.cause not in good]
        first += causes[0] in good
        three += any(cause in good for cause in causes[:3])
        wrong += bool(certain)
        if options.verbose and (causes[0] not in good or certain):
            _tell(report, findings, messages)
    count = max(1, len(reports))
    print(f"{len(reports)} reports: first right {first / count:.1%}, in the first three {three / count:.1%}, certain and wrong {wrong}")
    return 0


def _tell(report: dict[str, Any], findings: Any, _messages: Messages) -> None:
    print(f"--- {report['id']}: {report['cause']} {report['also_ok']} {report['context']}")
    for finding in findings:
        print(f"    {finding.cause} ({finding.confidence}): {finding.evidence[0].seen[:140] if finding.evidence else ''}")


if __name__ == "__main__":
    sys.exit(main())
