"""What is shown to the people concerned. Not built yet beyond the state of the record."""
