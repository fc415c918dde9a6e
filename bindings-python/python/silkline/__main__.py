"""Makes ``python -m silkline`` the same as the command ``silkline``."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
