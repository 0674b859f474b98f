"""What the lessons share: BLAS, random numbers, layers, losses, optimizers, training."""
