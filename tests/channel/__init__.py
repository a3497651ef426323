"""A real conda channel, built where the tests run from pieces of this machine."""
