"""What these tests share with others."""

from studio_fixtures import home, own_home, page, served

__all__ = ["home", "own_home", "page", "served"]
