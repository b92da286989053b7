"""Ratios of times taken in one run, never seconds asserted: ``python -m benchmarks`` runs them all."""
