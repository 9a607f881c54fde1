"""Stands in the way of the peer: an installation of Antiphon has no pandas, and pyarrow loads it wherever it is."""

raise ImportError("pandas is a peer of the benchmark, not a part of Antiphon")
