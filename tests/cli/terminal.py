"""Runs a command on a pseudo-terminal, does something as soon as it has said something, and prints all that it said.

Usage: terminal.py STEPS COMMAND [ARGUMENT…]. STEPS is a JSON list of [TEXT, ACTION]: once TEXT was said after what the
step before waited for, ACTION is done: {"type": KEYS}, {"kill": NUMBER} or {"pause": SECONDS}. The terminal is
TERMINAL_COLUMNS wide, if that is set. Ends with the command's exit code, and with 99 when it does not end, does not say
what is waited for, or leaves the terminal otherwise than it found it.

It reads during a pause, too: at a Ctrl-C, the kernel drops what a terminal has not read yet.
"""
import fcntl
import json
import os
import pty
import select
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
action, due = None, 0.0
while True:
    if action is None and steps and steps[0][0].encode() in said[place:]:
        text, action = steps.pop(0)
        place = said.index(text.encode(), place) + len(text.encode())
        due = time.monotonic() + action.get("pause", 0)
    left = due - time.monotonic()
    if action is not None and left <= 0:
        if "type" in action:
            os.write(terminal, action["type"].encode())
        if "kill" in action:
            os.kill(child, action["kill"])
        action = None
        continue
    if action is not None and not select.select([terminal], [], [], left)[0]:
        continue
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # the terminal is gone: the command has ended
        break
    if not chunk:
        break
    said += chunk
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(said)
if termios.tcgetattr(terminal) != modes or steps or action:
    sys.stdout.buffer.write(b"\n--- other modes, or steps are left: %r %r\n" % (action, steps))
    sys.exit(99)
sys.exit(os.waitstatus_to_exitcode(status))
