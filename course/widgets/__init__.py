"""What a learner moves with the mouse or clicks at, wherever a lesson needs it."""
