"""From topics that nobody knows to points that somebody may want: watched, guessed, proposed. Nothing is changed."""
