"""Who was at work while a container started, by the kernel's account and by their calls."""
