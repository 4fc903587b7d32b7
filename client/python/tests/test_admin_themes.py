"""All of test_admin, in processes whose admin has a theme."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.admin import ModelAdmin

import django_site  # configures Django
from editlock.django.admin import EditLockAdmin

assert django_site

TESTS = ["tests/test_admin.py", "tests/test_django_versions.py"]


@pytest.mark.parametrize(
    ("theme", "first"),
    [("grappelli", ""), ("unfold", ""), ("unfold", "1")],
    ids=["grappelli", "unfold", "unfold before EditLockAdmin"],
)
def test_the_admin_under_a_theme(theme: str, first: str) -> None:
    pytest.importorskip(theme, reason=f"{theme} is not installed for this Django")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "EDITLOCK_TEST_THEME": theme, "EDITLOCK_TEST_THEME_FIRST": first},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_bases_that_would_leave_an_object_unlocked_are_an_error() -> None:
    with pytest.raises(TypeError, match="EditLockAdmin"):
        type("InvoiceAdmin", (ModelAdmin, EditLockAdmin), {})
