"""What it costs: compiling, changing, looking up, churning, exposing. Each module says how it measures.

Run all of them with ``make bench``, or some with ``python -m benchmarks compile lookup``. They read ``/proc``, so they
need Linux. Nothing in the package depends on them.
"""
