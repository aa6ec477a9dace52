"""What a guest executes, watched by a plug-in that QEMU loads."""
