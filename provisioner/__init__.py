"""tfsetup: plans, builds, proves and takes back TensorFlow environments."""

__version__ = "0.1.0"
