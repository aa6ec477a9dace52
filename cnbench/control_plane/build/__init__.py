"""Building the servers of a control plane, and programs that talk to them, from Debian's packages.

No root, and nothing is installed: packages are unpacked in a folder that is gone when the build
ends. apt checks the signatures of all that is fetched.
"""
