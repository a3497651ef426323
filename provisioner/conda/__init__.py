"""conda's own world: its configuration, channels, match specs, virtual packages, activation and registry.

``sources.places`` says where packages come from, ``specs.meets`` whether a spec is met, ``compare`` what stays and leaves.
"""
