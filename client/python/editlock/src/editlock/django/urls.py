"""The admin's page of locks. Include it before the admin's own addresses:

path("admin/locks/", include("editlock.django.urls")),
path("admin/", admin.site.urls),
"""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from .views import locks

urlpatterns = [path("", admin.site.admin_view(locks), name="editlock_locks")]
