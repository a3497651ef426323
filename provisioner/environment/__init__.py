"""One reading of what lies in an environment: its layout, configuration, distributions, TensorFlow, receipt and conda records.

``read.read_site`` is the front door; ``damaged.read_broken`` reads what a repair must be able to read.
"""
