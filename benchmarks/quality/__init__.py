"""How well drags do what they are asked to: protocols, rows and reports of `drag_quality.py`."""
