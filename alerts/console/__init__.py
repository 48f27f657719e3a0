"""The web: API, live stream, accounts and pages."""
