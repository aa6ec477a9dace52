"""The guest lab: a small QEMU machine with a distribution's own kernel.

    from cnbench.lab.guest import start
    from cnbench.lab.guest.build.images import ensure_userland
    from cnbench.lab.guest.build.kernels import ensure_kernel

    ensure_userland(print)                  # once: fetches and packs Debian packages, no root
    ensure_kernel("bookworm", print)        # a suite, or the path of a vmlinuz
    with start.guest("bookworm", "instructions") as machine:
        machine.load(["ip_vs_rr", "ipip"])  # kernel modules, those that fail with the reason
        for message in machine.run("cnbench.measuring.guests.entry", {"plan": ...}):
            ...                             # each JSON line the module prints

Everything that is built lies in `cache.folder()`, each piece whole or not at all:

- the userland (`images`), the same for every kernel, as a read-only disk;
- kernels (`kernels`), uncompressed, with their modules as a disk;
- the measuring code (`code`), a disk made anew whenever a source file differs;
- states of booted guests (`saved`), without the measuring code and with it imported, from which
  later guests go on, and states in which something is set up already (`saved_setups`);
- whether KVM works here (`acceleration`).

What makes a median on the instruction clock repeat (TCP connect through 200 iptables rules on
5.10, 6.1, 6.12 and 7.2, both CPUs busy: within 0.01 % from run to run; within 0.06 % on 6.1 and
6.12 where each run had a boot of its own):

- one emulated CPU without random instructions, a seed, a fixed date, no address randomised;
- hash tables so wide that no connection shares a chain with one left behind: which ones do is up
  to a seed that the kernel draws from the timing of interrupts, the one thing QEMU does not fix;
- a random number generator that is seeded before anything is measured: until then each packet costs
  nine thousand instructions more, and a boot in ten or so happens to be seeded early; and that is
  not seeded again soon, so that all runs from one saved state draw the same numbers;
- programs and modules read before the state is saved: while a guest waits for a disk its clock
  skips from timer to timer, and minutes of its time pass (entries expire, neighbours grow stale);
- an agent that asks again and again for the host's next line instead of sleeping, likewise.

What is left are timer ticks, every 4 million instructions, 3 thousand each: they are in the upper
percentiles and not in a median. With 1,000 services in nftables a median also differs by up to
0.2 % from one set-up to the next, in one guest too, and stays as it is while that set-up lives;
with one service it does not. Presumably the set-up's hash tables grew otherwise: random numbers
that were equal (tried) did not settle it.

Where something waits, `Clock.timed` leaves that out; between two
`Clock.ticks` it counts (Python's `subprocess` with a timeout polls, each time half a million).
Measuring code that changes may move a level by some 0.2 %, as its own instructions are counted.

`qemu` makes the command line, `machine` starts and watches the process, `agent` is what runs inside
and `ending` says why a guest came to a bad end. Whatever goes wrong is a `GuestError` (or, where a
program or an image is missing, an `UnsupportedError` that says how to get it).
"""
