"""Words, names, paths, versions and progress: small pure things that every other folder may use.

``paths`` guards what stands in files, ``text`` says sizes and masks secrets, ``versions`` compares.
"""
