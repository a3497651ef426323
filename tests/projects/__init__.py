"""Old projects' environments as people have them: installed plainly, broken, and mended by ``fix``."""
