"""Figures and HTML reports of shoal's run directories and study folders."""
