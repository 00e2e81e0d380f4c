"""shoal's environments as other libraries have them, one module for each library.

Each imports its library; this package does not.
"""
