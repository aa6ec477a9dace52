"""The guest lab: a small QEMU machine with a distribution's own kernel.

    from cnbench.lab.guest import start
    from cnbench.lab.guest.images import ensure_userland
    from cnbench.lab.guest.kernels import ensure_kernel

    ensure_userland(print)                  # once: fetches and packs Debian packages, no root
    ensure_kernel("bookworm", print)        # a suite, or the path of a vmlinuz
    with start.guest("bookworm", "instructions") as machine:
        machine.load(["ip_vs_rr", "ipip"])  # kernel modules, those that fail with the reason
        for message in machine.run("cnbench.measure.inside", {"plan": ...}):
            ...                             # each JSON line the module prints

Everything that is built lies in `cache.folder()`, each piece whole or not at all:

- the userland (`images`), the same for every kernel, as a read-only disk;
- kernels (`kernels`), uncompressed, with their modules as a disk;
- the measuring code (`code`), a disk made anew whenever a source file differs;
- states of booted guests (`saved`), from which later guests go on instead of booting;
- whether KVM works here (`acceleration`).

`qemu` makes the command line, `machine` starts and watches the process, `agent` is what runs inside
and `ending` says why a guest came to a bad end. Whatever goes wrong is a `GuestError` (or, where a
program or an image is missing, an `UnsupportedError` that says how to get it).
"""
