"""What a run will cost and how long it will take, reckoned from its own requests before one of them is sent."""
