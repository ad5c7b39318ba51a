"""What holds for the whole suite."""

from hypothesis import settings

# A loaded machine is slow, not wrong. The same examples in every run: what fails here fails for everybody.
settings.register_profile("suite", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("suite")
