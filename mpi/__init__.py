"""Algorithm 3 (p. 17) between processes: `mpirun -n P python -m mpi.train`."""
