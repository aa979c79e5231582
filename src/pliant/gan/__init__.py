"""Pictures of StyleGAN2 generators: the network, its codes, and the edits on them."""
