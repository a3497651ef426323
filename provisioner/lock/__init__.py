"""A team's lock: resolving around the known-good sets, the files that are written, and what keeps them true."""
