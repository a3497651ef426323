"""Real faults: environments with real TensorFlow, broken the way people break them; what ``doctor`` and ``fix`` must make of each."""
