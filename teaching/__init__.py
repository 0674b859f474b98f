"""What teachers make of this repository: copies for students and for themselves, assignments."""
