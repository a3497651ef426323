"""The one file that needs no Python, on machines that have none, an old one, or a broken one."""
