"""The Windows half: real environments with TensorFlow's Windows wheels, broken on a Windows that is wine, in a machine of their own."""
