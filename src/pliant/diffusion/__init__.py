"""Latent diffusion models, and edits that move, resize, paste, restyle and remove things with them."""
