"""What a group costs."""
