"""`python -m embtransfer`: the command line where its script is on no path."""

from .cli import main

if __name__ == "__main__":
    main()
