"""Every Python that `make test-elsewhere` starts at another date loads this: sleep in a way that libfaketime lets through.

Told to leave the monotonic clock alone, libfaketime 0.9.10 (Debian 12 and 13) refuses the call that time.sleep makes: EINVAL.
"""

import select
import time


def sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select((), (), (), seconds)


time.sleep = sleep
