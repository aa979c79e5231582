"""Selecting things of a picture by a click, a box or a lasso."""

from pliant.selecting.hand import grow, in_box, in_lasso

__all__ = ["grow", "in_box", "in_lasso"]
