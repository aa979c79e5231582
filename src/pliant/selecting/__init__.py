"""Selecting things of a picture by a click or a box."""

from pliant.selecting.hand import grow, in_box

__all__ = ["grow", "in_box"]
