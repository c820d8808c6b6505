"""What people would use instead, and the least that can be done."""
