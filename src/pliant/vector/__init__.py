"""Vector drawings: scenes of cubic paths, the rasteriser that gradients go through, and the edits on them."""
