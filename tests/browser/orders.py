"""An order's way from leg to leg on the phone page."""

from __future__ import annotations

from typing import Any


def carry_out(expect: Any, phone: Any, desk: Any) -> None:
    """Carry the one task of a phone page from accepted to closed, while the desk looks on; both speak English."""
    task, dialog = phone.locator("[data-test=task]"), phone.get_by_role("dialog")
    for button, leg in (("Accept", "accepted"), ("On scene", "on_scene"), ("Resolved", "resolved")):
        task.get_by_role("button", name=button).click()
        expect(task).to_have_attribute("data-leg", leg)
    at = desk.locator("[data-test=dispatch] .at")
    expect(at).to_contain_text("Resolved")
    for button, box, text, leg in (
        ("Feed back", "What was told to whom", "told those below", "fed_back"),
        ("Arrange a follow-up visit", "In how many days", "3", "follow_up"),
    ):
        task.get_by_role("button", name=button).click()
        dialog.get_by_label(box).fill("")
        expect(dialog.get_by_role("button", name="Confirm")).to_be_disabled()
        dialog.get_by_label(box).fill(text)
        dialog.get_by_role("button", name="Confirm").click()
        expect(task).to_have_attribute("data-leg", leg)
    expect(at).to_contain_text("Visit to come")
    task.get_by_role("button", name="Visited: close").click()
    dialog.get_by_label("What the visit found").fill("the ditch is clear")
    dialog.get_by_role("button", name="Confirm").click()
    expect(phone.locator(".no-tasks")).to_be_visible()
    expect(desk.locator(".timeline")).to_contain_text("the ditch is clear")
