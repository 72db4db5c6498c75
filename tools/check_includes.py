"""Checks who includes whom in src/: check_includes.py ROOT. One line for each violation; exit status 1 when there is one.

    base      -> nothing but the C library
    money     -> base
    platform  -> base
    a service -> base, money, platform, itself, and other services' *_api.h
    payfile   -> as a service: the reader and writer of payment files that `agentpay pay` submits
    *_rules   -> base, money, its own service's headers and other services' *_api.h; no I/O, clock or thread header
    app       -> all

A third-party library is included by one .c file of platform (and those that carry its name on: x.c and x_*.c), or of the
service that alone needs it.
"""
import pathlib
import re
import sys

LOWER = {"base": set(), "money": {"base"}, "platform": {"base"}}
SERVICES = {"identity", "router", "ledger", "risk", "audit", "notify", "sandbox", "payfile"}
RULES_NEVER = {"stdio.h", "time.h", "pthread.h", "unistd.h"}
LIBRARIES = {"microhttpd.h": "libmicrohttpd", "curl/": "libcurl", "openssl/": "openssl", "sqlite3.h": "sqlite",
             "libpq-fe.h": "libpq", "sodium.h": "libsodium", "libxml/": "libxml2", "maxminddb.h": "libmaxminddb"}
SYSTEM = {"assert.h", "ctype.h", "errno.h", "inttypes.h", "limits.h", "math.h", "setjmp.h", "signal.h", "stdalign.h",
          "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "strings.h",
          "time.h", "arpa/inet.h", "dirent.h", "endian.h", "fcntl.h", "getopt.h", "libgen.h", "linux/futex.h", "locale.h", "malloc.h", "net/if.h",
          "netdb.h", "netinet/in.h", "netinet/tcp.h", "poll.h", "pthread.h", "sched.h", "sys/file.h", "sys/ioctl.h",
          "sys/mman.h", "sys/random.h", "sys/resource.h", "sys/socket.h", "sys/stat.h", "sys/syscall.h", "sys/time.h", "sys/types.h",
          "sys/uio.h", "sys/un.h", "sys/wait.h", "termios.h", "unistd.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)


def is_rules(path):
    return path.stem.endswith("_rules")


def may_include(path, layer, name):
    """None when `path` may include our header `name`; else the reason why not."""
    if "/" not in name:
        owner = "app" if name == "openapi_document.h" else name.removesuffix("_sql.h")
        return None if owner == layer else f"{name} belongs to {owner}"
    other = name.split("/")[0]
    if layer == "app" or other == layer:
        return None
    if layer in LOWER:
        return None if other in LOWER[layer] else f"{layer} may not know {other}"
    if is_rules(path) and other == "platform":
        return "rules may not know platform"
    if other in LOWER:
        return None
    if other in SERVICES and name.endswith("_api.h"):
        return None
    return f"{layer} may know only the *_api.h of {other}"


def library_of(name):
    return next((library for prefix, library in LIBRARIES.items() if name.startswith(prefix)), None)


def check_system(path, layer, name, users):
    library = library_of(name)
    if library:
        users.setdefault(library, set()).add(path)
        if path.suffix == ".h":
            return f"{library} may not show in a header"
        if layer != "platform" and layer not in SERVICES:
            return f"{layer} may not use {library}"
    elif name not in SYSTEM:
        return f"<{name}> is no header that this tool knows"
    elif is_rules(path) and name in RULES_NEVER:
        return f"rules may not use <{name}>"
    return None


def is_family(paths):
    first, *others = sorted(path.with_suffix("") for path in paths)
    return all(str(other).startswith(f"{first}_") for other in others)


def check(root):
    violations, users = [], {}
    source = root / "src"
    for path in sorted(source.rglob("*.[ch]")):
        layer = path.relative_to(source).parts[0]
        if layer not in LOWER and layer not in SERVICES and layer != "app":
            violations.append(f"{path}: {layer} is no layer that this tool knows")
            continue
        for ours, theirs in INCLUDE.findall(path.read_text()):
            reason = may_include(path, layer, ours) if ours else check_system(path, layer, theirs, users)
            if reason:
                violations.append(f"{path}: {reason}")
    for library, paths in users.items():
        if not is_family(paths):
            violations.append(f"{library} is included by more than one file: {', '.join(str(p) for p in sorted(paths))}")
    return violations


def main():
    violations = check(pathlib.Path(sys.argv[1]))
    print("\n".join(violations) or "every include keeps the rule")
    sys.exit(1 if violations else 0)


main()
