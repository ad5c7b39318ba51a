"""What the recorder answers without writing: what a permit would open, its share of that, a person's listing."""
