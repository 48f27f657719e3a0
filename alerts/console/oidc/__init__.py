"""Signing in by an OpenID Connect provider: its file, the calls to it, the check of what it says, and what that grants.

Authorization code flow with PKCE (RFC 7636, RFC 9700). `client` holds one provider; routes ask it.
"""
