"""Prints the names in a folder that match a pattern, sorted: list_files.py FOLDER PATTERN."""
import pathlib
import sys

print("\n".join(sorted(path.name for path in pathlib.Path(sys.argv[1]).glob(sys.argv[2]))))
