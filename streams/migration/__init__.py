"""Moving a site between the embedded set-up and the distributed one: log, journal, accounts, files, history."""
