"""The tool on Windows itself, as far as wine is one: the official CPythons for Windows, uv.exe, TensorFlow's own wheels (``rig/``)."""
