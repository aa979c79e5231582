"""What users train themselves: a generator on their own folder of pictures."""
