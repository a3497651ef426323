"""What people declare: tfsetup.yaml with all its keys, and what a project's own lists ask for, whichever tool they are for.

``declaration.read_declaration`` reads the one, ``lists`` and ``inputs`` the others; nothing is resolved here, and no index asked.
"""
