"""Rules and plans by area type."""
