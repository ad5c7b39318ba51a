"""What the recorder states of itself in open entries of the stream `health`: nobody else can write there."""
