"""``python -m tfsetup``: the same as the command ``tfsetup``, where its folder is not on PATH."""

from provisioner.__main__ import main

if __name__ == "__main__":
    main()
