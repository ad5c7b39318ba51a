"""Figures of the product and of its peers, on the same input in the same run: `make bench`.

One module a figure; `harness` measures and prints. What each figure counts: docs/operations/benchmarks.md.
"""
