"""Turns a text file into a C header with one byte array: embed_file.py NAME INPUT OUTPUT."""
import pathlib
import sys

name, source, output = sys.argv[1:]
data = pathlib.Path(source).read_bytes()
rows = [", ".join(str(byte) for byte in data[at:at + 24]) for at in range(0, len(data), 24)]
pathlib.Path(output).write_text(
    f"/* Made from {pathlib.Path(source).name} by tools/embed_file.py. */\n#pragma once\n\n"
    f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "\n};\n")
