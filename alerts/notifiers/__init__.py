"""Ways an outcome reaches people and machines, behind one outbox."""
