"""What Pliant sees in a picture: landmarks, and how far two sets of pictures are apart."""
