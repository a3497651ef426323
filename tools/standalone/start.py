"""Start tfsetup out of its one file: ``argv`` is this script, the file as it was typed, and what was typed after it."""

import sys

from provisioner.__main__ import main

if __name__ == "__main__":
    del sys.argv[0]
    main()
