"""What people hand over who are not trusted, and what must not come of it: each case by the real command line (``make hostile``)."""
