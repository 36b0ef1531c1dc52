"""What the paper shows and claims, measured: one figure or claim a file, data and plot apart."""
