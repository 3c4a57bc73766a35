"""psql on a terminal: Ctrl-C in a running query, in \\watch and in a transaction, then the next statement.

Prints what the terminal showed. Environment: PG* for psql; DRIVER_SCHEMA makes this copy's queries recognisable;
DRIVER_NODE_PORTS are the servers themselves, where this program looks whether a query has begun.
"""
import os
import pty
import re
import sys
import termios
import time

import psycopg

MARK = os.environ["DRIVER_SCHEMA"]
DEADLINE = 20.0


class Terminal:
    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # What a terminal echoes depends on when psql reads it.
            modes = termios.tcgetattr(0)
            modes[3] &= ~termios.ECHO
            termios.tcsetattr(0, termios.TCSANOW, modes)
            os.environ["TERM"] = "dumb"
            os.execvp("psql", ["psql", "-X", "-n", "-v", "PROMPT1=ready%R%x> ", "-v", "PROMPT2=more> ", "-P", "pager=off", "-q"])
        self.seen = ""

    def read_until(self, pattern):
        end = time.monotonic() + DEADLINE
        while not (found := re.search(pattern, self.seen)):
            if time.monotonic() > end:
                sys.exit(f"no {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode()
        text, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return text

    def type(self, text):
        os.write(self.fd, text.encode())


def is_running(node, marker):
    return node.execute(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND query LIKE %s", (f"%{marker}%",)
    ).fetchone()


def wait_until_running(nodes, marker):
    end = time.monotonic() + DEADLINE
    while not any(is_running(node, marker) for node in nodes):
        if time.monotonic() > end:
            sys.exit(f"{marker} never ran")
        time.sleep(0.01)


PROMPT = r"ready.[*!]?> "


def say(text):
    print(text.replace("\r", ""))


def main():
    nodes = [
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", autocommit=True)
        for port in os.environ["DRIVER_NODE_PORTS"].split(",")
    ]
    terminal = Terminal()
    terminal.read_until(PROMPT)

    def interrupted(statement, marker):
        terminal.type(statement + "\n")
        wait_until_running(nodes, marker)
        terminal.type("\x03")
        say(terminal.read_until(r"(?s)ERROR.*" + PROMPT))

    def run(statement):
        terminal.type(statement + "\n")
        say(terminal.read_until(PROMPT))

    run("select 'first';")
    interrupted(f"select pg_sleep(60) /* one {MARK} */;", f"one {MARK}")
    run("select 'after one';")
    run("begin;")
    interrupted(f"select pg_sleep(60) /* two {MARK} */;", f"two {MARK}")
    run("select 'in a failed transaction';")
    run("rollback;")
    run("select 'after two';")
    # A round of \watch sleeps in psql; Ctrl-C ends it without a word from the server.
    terminal.type("select 'round' as watched \\watch 0.1\n")
    for _ in range(3):
        terminal.read_until(r"(?s) watched .*?\(1 row\)\s")
    terminal.type("\x03")
    terminal.read_until(PROMPT)
    run("select 'after watch';")
    for turn in range(5):
        interrupted(f"select pg_sleep(60) /* turn {turn} {MARK} */;", f"turn {turn} {MARK}")
        run(f"select 'after turn {turn}';")
    terminal.type("\\q\n")
    os.waitpid(terminal.pid, 0)


main()
