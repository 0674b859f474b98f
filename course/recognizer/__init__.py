"""Lesson 06: draw a digit and watch the networks read it."""
