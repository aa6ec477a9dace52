"""Set-ups in a process of their own each, where what differs between set-ups is the process."""
