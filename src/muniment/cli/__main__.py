"""`python -m muniment.cli` is the `muniment` command."""

import sys

from muniment.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
