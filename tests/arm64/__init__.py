"""What is run on Linux for aarch64, by qemu on this machine."""
