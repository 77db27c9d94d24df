"""`python -m embtransfer`: the command line where its script is on no path."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
