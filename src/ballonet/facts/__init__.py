"""What is known, as data without behaviour."""
