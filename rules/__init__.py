"""What deserves a person's attention: the rule language, its compiler and its evaluation over time."""
