"""What should happen: pure functions over facts."""
