"""Accounts: who may enter the console, kept in accounts.sqlite. Plain functions over one open store.

`open_accounts(path)` opens the store; every other function takes it first.
"""

from __future__ import annotations

from alerts.console.accounts.audit import AuditEntry, audit_break, list_audit, record_audit
from alerts.console.accounts.drafts import drop_draft, find_draft, list_drafts, other_drafts, save_draft
from alerts.console.accounts.external import (
    External,
    enter_external,
    find_external,
    leave_external,
    sign_out_external,
    use_state,
)
from alerts.console.accounts.first import claim_first, first_link, has_administrator
from alerts.console.accounts.personal import erase_person, export_person
from alerts.console.accounts.pushes import first_stamp, push_id
from alerts.console.accounts.second import address_of, ask_second, check_second, confirm_second, remove_second
from alerts.console.accounts.secret import read_key
from alerts.console.accounts.sessions import (
    OpenSession,
    Session,
    begin_session,
    end_session,
    end_sessions,
    find_session,
    list_sessions,
    revoke_session,
    session_id,
    touch_session,
)
from alerts.console.accounts.store import AccountError, Accounts, open_accounts
from alerts.console.accounts.tokens import Token, add_token, find_token, list_tokens, revoke_token
from alerts.console.accounts.users import (
    User,
    add_user,
    change_user,
    check_password,
    checked_password,
    disable_user,
    find_user,
    list_users,
    set_password,
)

__all__ = [
    "AccountError",
    "Accounts",
    "AuditEntry",
    "External",
    "OpenSession",
    "Session",
    "Token",
    "User",
    "add_token",
    "add_user",
    "address_of",
    "ask_second",
    "audit_break",
    "begin_session",
    "change_user",
    "check_password",
    "check_second",
    "checked_password",
    "claim_first",
    "confirm_second",
    "disable_user",
    "drop_draft",
    "end_session",
    "end_sessions",
    "enter_external",
    "erase_person",
    "export_person",
    "find_draft",
    "find_external",
    "find_session",
    "find_token",
    "find_user",
    "first_link",
    "first_stamp",
    "has_administrator",
    "leave_external",
    "list_audit",
    "list_drafts",
    "list_sessions",
    "list_tokens",
    "list_users",
    "open_accounts",
    "other_drafts",
    "push_id",
    "read_key",
    "record_audit",
    "remove_second",
    "revoke_session",
    "revoke_token",
    "save_draft",
    "session_id",
    "set_password",
    "sign_out_external",
    "touch_session",
    "use_state",
]
