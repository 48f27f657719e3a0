"""The quarantine of one data folder: searched by the console and the command line, and replayed into the log."""
