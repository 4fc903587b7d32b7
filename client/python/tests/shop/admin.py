"""The shop's admin, of the theme's classes if EDITLOCK_TEST_THEME names one that has its own.

EDITLOCK_TEST_THEME_FIRST puts these before EditLockAdmin.
"""

from __future__ import annotations

import os
from typing import Any

from django.contrib import admin

from editlock.django.admin import EditLockAdmin

from .models import Archived, CreditNote, Customer, Draft, Invoice, Item, Letter, Page, Payment, Ticket

if os.environ.get("EDITLOCK_TEST_THEME") == "unfold":
    from unfold.admin import ModelAdmin, TabularInline
else:
    from django.contrib.admin import ModelAdmin, TabularInline

BASES = (ModelAdmin, EditLockAdmin) if os.environ.get("EDITLOCK_TEST_THEME_FIRST") else (EditLockAdmin, ModelAdmin)


class ItemInline(TabularInline):
    model = Item
    extra = 1


class PaymentInline(TabularInline):
    model = Payment
    extra = 0


@admin.register(Invoice)
class InvoiceAdmin(*BASES):
    list_display = ("__str__", "text", "paid")
    list_editable = ("text",)
    inlines = (ItemInline, PaymentInline)
    save_as = True
    actions = ("pay", "export")
    editlock_reading_actions = ("export",)

    @admin.action(description="Mark as paid")
    def pay(self, request: Any, queryset: Any) -> None:
        queryset.update(paid=True)

    @admin.action(description="Export")
    def export(self, request: Any, queryset: Any) -> None:
        self.message_user(request, f"exported {queryset.count()}")


for model in (Archived, CreditNote, Customer, Draft, Page, Payment, Ticket):
    admin.register(model)(type(f"{model.__name__}Admin", BASES, {}))


@admin.register(Letter)
class LetterAdmin(*BASES):
    editlock_version = True
    editlock_saves = "saves"
