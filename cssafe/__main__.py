import sys

from cssafe.commands.main import main

sys.exit(main())
