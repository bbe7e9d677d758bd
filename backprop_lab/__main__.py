"""``python -m backprop_lab`` is the command ``backprop-lab``."""

import sys

from backprop_lab.command.cli import main

if __name__ == "__main__":
    sys.exit(main())
