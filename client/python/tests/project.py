"""A Django project as django-admin startproject makes it, protected as README.md says."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from servers import Server, free_port

ROOT = Path(__file__).parents[1]
DOC = ROOT / "editlock" / "docs" / "django.md"

MODELS = """
from django.db import models


class Invoice(models.Model):
    number = models.CharField(max_length=20)
    text = models.TextField(blank=True)

    def __str__(self):
        return f"Invoice {self.number}"
"""

# What the project had before: an admin without locks.
ADMIN = """
from django.contrib import admin

from .models import Invoice


@admin.register(Invoice)
class InvoiceAdmin(admin.ModelAdmin):
    list_display = ("number", "text")
    list_editable = ("text",)
"""

PEOPLE = """
from django.core.management import call_command
call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
for login, first, last in ("ivan", "Ivan", "Ivanov"), ("olga", "Olga", "Petrova"):
    User.objects.create_superuser(login, password=login, first_name=first, last_name=last)
"""


def steps() -> dict[str, str]:
    """The pieces of code under the manual's "In five minutes", by the file that each begins with naming."""
    text = DOC.read_text(encoding="utf-8").partition("## In five minutes")[2].partition("\n## ")[0]
    return dict(re.findall(r"^```\w+\n# (\S+)[^\n]*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


class Project:
    """The project, its server and its lock server, as processes.

    ``more`` is put behind the settings, ``admin`` into the class of its admin.
    """

    def __init__(
        self,
        folder: Path,
        more: str = "",
        base: str = "admin.ModelAdmin",
        header: str = "",
        urls: str = "",
        admin: str = "",
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT / "editlock" / "src"), "PYTHONWARNINGS": "ignore"}
        self._python("-m", "django", "startproject", "site1", ".")
        (folder / "shop" / "migrations").mkdir(parents=True)
        for package in ("shop", "shop/migrations"):
            (folder / package / "__init__.py").touch()
        (folder / "shop" / "models.py").write_text(MODELS)
        with (folder / "site1" / "urls.py").open("a") as addresses:
            addresses.write(urls)
        admin = ADMIN.replace("admin.ModelAdmin", base) + admin
        self.follow(steps(), admin, header, more)
        self._shell(PEOPLE)
        self._log = (folder / "django.log").open("wb")
        self._django = subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{self.port}"],
            cwd=folder,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
        )
        self._await()

    def follow(self, code: dict[str, str], admin: str, header: str, more: str) -> None:
        """Does what the manual says, with ports of this test's own."""
        configuration = self.folder / "editlock.toml"
        configuration.write_text(code["editlock.toml"].replace(":8000", f":{self.port}"))
        self.locks = Server(self.folder, "--config", str(configuration))
        with (self.folder / "site1" / "settings.py").open("a") as settings:
            settings.write(
                'INSTALLED_APPS += ["shop"]\n' + code["settings.py"].replace("http://127.0.0.1:7117", self.locks.url)
            )
            settings.write(more)
        wanted, line = code["admin.py"].strip().split("\n")
        assert line.startswith("class InvoiceAdmin(EditLockAdmin, admin.ModelAdmin):")
        admin = re.sub(r"class InvoiceAdmin\((.*)\)", r"class InvoiceAdmin(EditLockAdmin, \1)", admin)
        (self.folder / "shop" / "admin.py").write_text(f"{header}{wanted}\n{admin}")

    def _python(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=self._environment, check=True, stdout=subprocess.DEVNULL
        )

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urlopen(f"{self.url}/admin/login/", timeout=10):
                    return
            except HTTPError as err:
                raise RuntimeError((self.folder / "django.log").read_text()) from err
            except (URLError, OSError):
                if self._django.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "django.log").read_text()) from None
                time.sleep(0.1)

    def _shell(self, code: str) -> None:
        self._environment["DJANGO_SETTINGS_MODULE"] = "site1.settings"
        self._python("-c", f"import django; django.setup()\n{code}")

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Runs a statement on the project's database."""
        with closing(sqlite3.connect(self.folder / "db.sqlite3", timeout=30)) as database, database:
            return database.execute(statement, values).fetchall()

    def invoice(self, text: str) -> int:
        """The key of a new invoice, the only one."""
        self.sql("DELETE FROM shop_invoice")
        return int(self.sql("INSERT INTO shop_invoice (number, text) VALUES ('17', ?) RETURNING id", text)[0][0])

    def stored(self) -> str:
        """The text of the invoice."""
        return str(self.sql("SELECT text FROM shop_invoice")[0][0])

    def stop(self) -> None:
        self._django.terminate()
        self._django.wait(20)
        self._log.close()
        self.locks.stop()


def chromium(playwright: Any) -> Any:
    """This machine's Chromium, or else Playwright's own."""
    import shutil

    named = (os.environ.get("CHROMIUM"), *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    path = next((path for path in named if path), None)
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
