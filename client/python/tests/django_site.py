"""A small Django site: settings, addresses and views, for test_django.

EDITLOCK_TEST_THEME names a theme of the admin to put before it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import django
from django.conf import settings

if not settings.configured:
    _folder = Path(tempfile.mkdtemp())
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={
            name: {"ENGINE": "django.db.backends.sqlite3", "NAME": str(_folder / f"{name}.db")}
            for name in ("default", "archive")
        },
        DATABASE_ROUTERS=["shop.models.Router"],
        EDITLOCK_GUARD_WRITES=["shop.Ticket"],
        EDITLOCK_TOKEN_KEY="0123456789abcdef0123456789abcdef",
        EDITLOCK_TOKEN_ISSUER="shop",
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        INSTALLED_APPS=[
            *filter(None, [os.environ.get("EDITLOCK_TEST_THEME")]),
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            "django.contrib.staticfiles",
            "editlock.django",
            "m3_mutex",
            "shop",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.locale.LocaleMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "editlock.django.middleware.OwnerMiddleware",
        ],
        ROOT_URLCONF="django_site",
        SECRET_KEY="for tests",
        STATIC_URL="/static/",
        SESSION_ENGINE="django.contrib.sessions.backends.file",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        USE_TZ=True,
    )
    django.setup()

from django.contrib import admin
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views import View
from django.views.generic import DeleteView, UpdateView
from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer
from rest_framework.viewsets import ModelViewSet

import m3_mutex
from editlock import ID, AutoRelease, current_owner
from editlock.django import client
from editlock.django.edit import EditLockMixin
from editlock.django.guard import SaveGuardMixin, save_guard
from editlock.django.names import mutex_id as editlock_id
from editlock.django.parts import check_held
from editlock.django.rest import EditLockAPIMixin, EditLockPermission
from editlock.django.tokens import token_view
from editlock.django.versions import check, etag
from m3_mutex.guard import save_guard as m3_save_guard
from shop.models import Invoice, Letter

SHORT = AutoRelease(idle=1)
THEME = os.environ.get("EDITLOCK_TEST_THEME", "")


def mutex_id(request: HttpRequest, group: str) -> ID:
    return ID(id="17", mode="invoice", group=group)


def block(request: HttpRequest, group: str) -> JsonResponse:
    return JsonResponse({"token": client().capture(mutex_id(request, group)).token})


def block_m3(request: HttpRequest, group: str) -> JsonResponse:
    mutex = m3_mutex.capture_mutex(m3_mutex.MutexID(group, "invoice", "17"))
    return JsonResponse({"token": mutex.token, "owner": vars(mutex.owner)})


@save_guard(mutex_id)
def save(request: HttpRequest, group: str) -> JsonResponse:
    held: Any = getattr(request, "editlock", None)
    return JsonResponse({"saved": held is not None and held.token})


@save_guard(mutex_id)
async def save_async(request: HttpRequest, group: str) -> JsonResponse:
    held: Any = getattr(request, "editlock", None)
    return JsonResponse({"saved": held is not None and held.token})


async def who_async(request: HttpRequest, group: str) -> JsonResponse:
    from asgiref.sync import sync_to_async

    owner = await sync_to_async(current_owner)()
    return JsonResponse({"session": owner.session, "name": owner.name})


def saved_parts(request: Any) -> JsonResponse:
    return JsonResponse({"saved": [[one.id.part, one.token] for one in request.editlock_held]})


@save_guard(mutex_id, parts=True)
def save_parts(request: HttpRequest, group: str) -> JsonResponse:
    return saved_parts(request)


@save_guard(mutex_id, parts=True)
async def save_parts_async(request: HttpRequest, group: str) -> JsonResponse:
    return saved_parts(request)


@m3_save_guard(lambda request, group: m3_mutex.MutexID(group, "invoice", "17"), parts=True)
def save_parts_m3(request: HttpRequest, group: str) -> JsonResponse:
    return saved_parts(request)


@save_guard(mutex_id, parts=True)
def save_in_database(request: Any, group: str) -> JsonResponse:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE editlock_row (k TEXT, rev INTEGER, due INTEGER)")
        check_held(request.editlock_held)
    return saved_parts(request)


class SaveParts(SaveGuardMixin, View):
    editlock_parts = True

    def get_mutex_id(self, request: Any, *args: Any, **kwargs: Any) -> ID:
        return mutex_id(request, kwargs["group"])

    def post(self, request: HttpRequest, group: str) -> JsonResponse:
        return saved_parts(request)


class Save(SaveGuardMixin, View):
    def get_mutex_id(self, request: Any, *args: Any, **kwargs: Any) -> ID:
        return mutex_id(request, kwargs["group"])

    def get(self, request: HttpRequest, group: str) -> HttpResponse:
        return HttpResponse("a form")

    def post(self, request: HttpRequest, group: str) -> HttpResponse:
        return HttpResponse("saved")


def page(request: HttpRequest) -> HttpResponse:
    from django.template import engines

    text = "{% load editlock %}{% editlock_token %}"
    return HttpResponse(engines["django"].from_string(text).render({}, request))


def quiet(request: HttpRequest) -> HttpResponse:
    return HttpResponse("no locks here")


class EditInvoice(EditLockMixin, UpdateView):  # type: ignore[type-arg]
    model = Invoice
    fields = ("number", "text")
    success_url = "/quiet/"


class EditLetter(EditLockMixin, UpdateView):  # type: ignore[type-arg]
    model = Letter
    fields = ("subject", "text", "paid", "kind", "at", "day", "customer", "readers")
    success_url = "/quiet/"
    template_name = "shop/invoice_form.html"
    editlock_version = "revision"
    editlock_saves = "saves"


class LetterSerializer(ModelSerializer):  # type: ignore[misc]
    class Meta:
        model = Letter
        fields = ("subject", "text")


class DeleteInvoice(EditLockMixin, DeleteView):  # type: ignore[type-arg]
    model = Invoice
    success_url = "/quiet/"


class InvoiceSerializer(ModelSerializer):  # type: ignore[misc]
    class Meta:
        model = Invoice
        fields = ("number", "text")


class Invoices(EditLockAPIMixin, ModelViewSet):  # type: ignore[misc]
    queryset = Invoice.objects.all()
    serializer_class = InvoiceSerializer
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)
    authentication_classes = (SessionAuthentication,)


class Letters(EditLockAPIMixin, ModelViewSet):  # type: ignore[misc]
    queryset = Letter.objects.all()
    serializer_class = LetterSerializer
    renderer_classes = (JSONRenderer,)
    parser_classes = (JSONParser,)
    authentication_classes = (SessionAuthentication,)
    editlock_version = "revision"
    editlock_saves = "saves"


@save_guard(lambda request, pk: editlock_id(Letter(pk=pk)))
def save_letter(request: HttpRequest, pk: int) -> HttpResponse:
    with transaction.atomic():
        letter = Letter.objects.get(pk=pk)
        save = check(request, letter, "revision", "saves")
        letter.text = request.POST["text"]
        letter.save()
        answer = HttpResponse("saved")
        answer["ETag"] = etag(save.done(letter, lambda obj: str(obj.revision)))
    return answer


class OnlyPermission(ModelViewSet):  # type: ignore[misc]
    queryset = Invoice.objects.all()
    serializer_class = InvoiceSerializer
    renderer_classes = (JSONRenderer,)
    permission_classes = (EditLockPermission,)


urlpatterns = [
    path("invoice/<int:pk>/", EditInvoice.as_view()),
    path("invoice/<int:pk>/delete/", DeleteInvoice.as_view()),
    *(
        path(
            f"{name}/<int:pk>/",
            view.as_view({"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}),
        )
        for name, view in (("api", Invoices), ("api-permission", OnlyPermission), ("api-letter", Letters))
    ),
    path("letter/<int:pk>/", EditLetter.as_view()),
    path("letter/<int:pk>/save/", save_letter),
    path("admin/locks/", include("editlock.django.urls")),
    path("admin/", admin.site.urls),
    *([path("grappelli/", include("grappelli.urls"))] if THEME == "grappelli" else []),
    path("quiet/", quiet),
    path("page/", page),
    path("token/", token_view, name="editlock_token"),
    path("<group>/block/", block),
    path("<group>/block-m3/", block_m3),
    path("<group>/save/", save),
    path("<group>/save-async/", save_async),
    path("<group>/save-parts/", save_parts),
    path("<group>/save-parts-async/", save_parts_async),
    path("<group>/save-parts-m3/", save_parts_m3),
    path("<group>/save-parts-class/", SaveParts.as_view()),
    path("<group>/save-in-database/", save_in_database),
    path("<group>/who-async/", who_async),
    path("<group>/save-class/", Save.as_view()),
]
