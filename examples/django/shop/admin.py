from django.contrib import admin
from editlock.django.admin import EditLockAdmin

from .models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(EditLockAdmin, admin.ModelAdmin):
    list_display = ("number", "text")
    editlock_version = True  # what an import writes meanwhile is not overwritten
