import sys

from cssafe.cli import main

sys.exit(main())
