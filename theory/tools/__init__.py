"""What every statement uses: numbers of any size, sums over sequences, replicas, intervals, enumerated outcomes."""
