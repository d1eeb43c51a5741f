"""Runs a program, and writes to a file how many seconds it took, how many of a processor, and its peak memory in KB."""
import os
import sys
import time

began = time.monotonic()
_, status, used = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
with open(sys.argv[1], "w") as file:
    print(time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss, file=file)
sys.exit(os.waitstatus_to_exitcode(status))
