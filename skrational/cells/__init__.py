"""Recurrent cells: parameters, groups, and how to cut groups out."""
