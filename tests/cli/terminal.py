"""Runs a command on a pseudo-terminal, does something as soon as it has said something, and prints all that it said.

Usage: terminal.py STEPS COMMAND [ARGUMENT…]. STEPS is a JSON list of [TEXT, ACTION]: once TEXT was said after what the
step before waited for, ACTION is done: {"type": KEYS}, {"kill": NUMBER} or {"pause": SECONDS}. The terminal is
TERMINAL_COLUMNS wide, if that is set. Ends with the command's exit code, and with 99 when it does not end, does not say
what is waited for, or leaves the terminal otherwise than it found it.
"""
import fcntl
import json
import os
import pty
import signal
import struct
import sys
import termios
import time

steps, command = json.loads(sys.argv[1]), sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    if columns := os.environ.get("TERMINAL_COLUMNS"):
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, int(columns), 0, 0))
    os.execvp(command[0], command)


def give_up(*_):
    sys.stdout.buffer.write(said + b"\n--- it goes on\n")
    sys.stdout.flush()
    os.kill(child, signal.SIGKILL)
    os._exit(99)


signal.signal(signal.SIGALRM, give_up)
signal.alarm(120)
said, place = b"", 0
modes = termios.tcgetattr(terminal)
while True:
    while steps and steps[0][0].encode() in said[place:]:
        text, action = steps.pop(0)
        place = said.index(text.encode(), place) + len(text.encode())
        if "pause" in action:
            time.sleep(action["pause"])
        if "type" in action:
            os.write(terminal, action["type"].encode())
        if "kill" in action:
            os.kill(child, action["kill"])
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # the terminal is gone: the command has ended
        break
    if not chunk:
        break
    said += chunk
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(said)
if termios.tcgetattr(terminal) != modes or steps:
    sys.stdout.buffer.write(b"\n--- other modes, or steps are left: %r\n" % steps)
    sys.exit(99)
sys.exit(os.waitstatus_to_exitcode(status))
