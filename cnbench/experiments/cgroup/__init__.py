"""The cgroup controllers, one experiment each."""
