"""Runs a command on a pseudo-terminal, gives one answer at its first question, and prints what it said.

Usage: consent.py ANSWER COMMAND [ARGUMENT…]. Ends with the command's exit code.
"""
import os
import pty
import sys

answer, command = sys.argv[1], sys.argv[2:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)
said = b""
while True:
    try:
        chunk = os.read(terminal, 65536)
    except OSError:  # the terminal is gone: the command has ended
        break
    if not chunk:
        break
    asked = b"[y/N]" in said
    said += chunk
    if not asked and b"[y/N]" in said:
        os.write(terminal, answer.encode() + b"\n")
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(status))
