"""How surprising a reading is, and how soon a limit will be crossed."""
