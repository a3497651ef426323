"""Real packages of a person's own beside TensorFlow: ``python -m tests.neighbours``."""
