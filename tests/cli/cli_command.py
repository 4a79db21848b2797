"""The command line in this process, which costs no start: its exit status and what it prints."""

import sys

from wordstock.cli.main import main


def call(monkeypatch, capsys, *arguments, columns=100):
    monkeypatch.setattr(sys, "argv", ["wordstock", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    try:
        main()
        status = 0
    except SystemExit as stop:
        status = stop.code or 0
    printed = capsys.readouterr()
    return status, printed.out, printed.err
