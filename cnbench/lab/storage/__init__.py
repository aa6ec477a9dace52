"""Where files lie: disks, loop devices, file systems made for the run, and mounts."""
