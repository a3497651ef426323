"""The checks of ``doctor``: one module a subject, each a list of named functions from a ``Case`` to what they found."""
