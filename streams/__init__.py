"""How it flows: settings, the log, the engine, the Faust application and the processes around it."""
